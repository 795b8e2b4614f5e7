// The two networks that the page trains.
import * as torch from 'typetorch';
import type { ModelName } from './protocol.js';

const { nn } = torch;

class MLP extends nn.Module {
  hidden = new nn.Linear(784, 256);
  act = new nn.ReLU();
  output = new nn.Linear(256, 10);

  forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.act(this.hidden(x.flatten(1))));
  }
}

class CNN extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  );
  output = new nn.Linear(16 * 7 * 7, 10);

  forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.features(x).flatten(1));
  }
}

export type Net = MLP | CNN;
export const makeModel = (name: ModelName): Net => (name === 'mlp' ? new MLP() : new CNN());
