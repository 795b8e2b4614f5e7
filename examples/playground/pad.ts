// The drawing area, and the way from strokes to what MNIST's digits look like.

const SIDE = 280;
const DIGIT = 20; // MNIST scales digits into 20 x 20 …
const IMAGE = 28; // … and centres them by mass in 28 x 28

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const c = canvas.getContext('2d', { willReadFrequently: true });
  if (!c) throw new Error('this browser has no 2d canvas');
  return c;
}

/** The box around what was drawn; null when nothing was. */
function bounds(
  pixels: Uint8ClampedArray,
): [left: number, top: number, right: number, bottom: number] | null {
  let [left, top, right, bottom] = [SIDE, SIDE, -1, -1];
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      if (pixels[4 * (y * SIDE + x)] > 20) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  return right < 0 ? null : [left, top, right + 1, bottom + 1];
}

/** The centre of mass of grey values. */
function centre(grey: Float32Array): [x: number, y: number] {
  let [mass, x, y] = [0, 0, 0];
  grey.forEach((v, i) => {
    mass += v;
    x += v * (i % IMAGE);
    y += v * Math.floor(i / IMAGE);
  });
  return [x / mass, y / mass];
}

export class Pad {
  private readonly ink: CanvasRenderingContext2D;
  private last: [number, number] | null = null;
  private changed = false;

  /** `onDraw` gets 784 grey values in [0, 1] after each change; null after clearing. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly seen: HTMLCanvasElement,
    private readonly onDraw: (pixels: Float32Array | null) => void,
  ) {
    this.ink = context(canvas);
    canvas.addEventListener('pointerdown', (e) => {
      canvas.setPointerCapture(e.pointerId);
      this.last = this.at(e);
      this.stroke(e);
    });
    canvas.addEventListener('pointermove', (e) => {
      if (this.last) this.stroke(e);
    });
    for (const end of ['pointerup', 'pointercancel'])
      canvas.addEventListener(end, () => {
        this.last = null;
      });
  }

  clear(): void {
    this.ink.clearRect(0, 0, SIDE, SIDE);
    context(this.seen).clearRect(0, 0, IMAGE, IMAGE);
    this.onDraw(null);
  }

  private at(e: PointerEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [((e.clientX - box.left) / box.width) * SIDE, ((e.clientY - box.top) / box.height) * SIDE];
  }
  private stroke(e: PointerEvent): void {
    const [x, y] = this.at(e);
    const [fromX, fromY] = this.last ?? [x, y];
    Object.assign(this.ink, { lineWidth: 22, lineCap: 'round', lineJoin: 'round', strokeStyle: '#fff' });
    this.ink.beginPath();
    this.ink.moveTo(fromX, fromY);
    this.ink.lineTo(x + 0.01, y);
    this.ink.stroke();
    this.last = [x, y];
    if (this.changed) return;
    this.changed = true; // one report a frame
    requestAnimationFrame(() => {
      this.changed = false;
      this.onDraw(this.read());
    });
  }

  /** The drawing as MNIST has its digits. */
  private read(): Float32Array | null {
    const box = bounds(this.ink.getImageData(0, 0, SIDE, SIDE).data);
    if (!box) return null;
    const [left, top, right, bottom] = box;
    const scale = DIGIT / Math.max(right - left, bottom - top);
    const [width, height] = [(right - left) * scale, (bottom - top) * scale];
    const small = context(this.seen);
    small.imageSmoothingEnabled = true;
    small.imageSmoothingQuality = 'high';
    const place = (x: number, y: number): Float32Array => {
      small.fillStyle = '#000';
      small.fillRect(0, 0, IMAGE, IMAGE);
      small.drawImage(this.canvas, left, top, right - left, bottom - top, x, y, width, height);
      const { data } = small.getImageData(0, 0, IMAGE, IMAGE);
      return Float32Array.from({ length: IMAGE * IMAGE }, (_, i) => data[4 * i] / 255);
    };
    const [x, y] = [(IMAGE - width) / 2, (IMAGE - height) / 2];
    const [massX, massY] = centre(place(x, y));
    return place(x + Math.round(13.5 - massX), y + Math.round(13.5 - massY));
  }
}
