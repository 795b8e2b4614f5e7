// The loss curve: raw losses and their moving average.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const axis = {
  stroke: '#8fa0b7',
  grid: { stroke: '#263245', width: 1 },
  ticks: { stroke: '#263245', width: 1 },
};

export class LossChart {
  private readonly steps: number[] = [];
  private readonly losses: number[] = [];
  private readonly smooth: number[] = [];
  private readonly plot: uPlot;

  constructor(private readonly host: HTMLElement) {
    this.plot = new uPlot(
      {
        ...this.size(),
        cursor: { y: false },
        scales: { x: { time: false }, y: { range: (_, low, high) => [Math.max(0, low), high ?? 1] } },
        axes: [
          { ...axis, label: 'step', labelSize: 18 },
          { ...axis, size: 46 },
        ],
        series: [
          {},
          { label: 'loss', stroke: '#4a9eff55', width: 1, points: { show: false } },
          { label: 'mean', stroke: '#ff7a45', width: 2.5, points: { show: false } },
        ],
      },
      [[], [], []],
      host,
    );
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(host);
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(this.host.clientWidth, 200), height: this.host.clientHeight };
  }
  clear(): void {
    for (const list of [this.steps, this.losses, this.smooth]) list.length = 0;
    this.draw();
  }
  add(steps: readonly number[], losses: readonly number[]): void {
    for (const [i, loss] of losses.entries()) {
      const before = this.smooth.at(-1) ?? loss;
      this.steps.push(steps[i]);
      this.losses.push(loss);
      this.smooth.push(before + 0.04 * (loss - before));
    }
    this.draw();
  }
  private draw(): void {
    this.plot.setData([this.steps, this.losses, this.smooth]);
  }
}
