// The convolutional network of cnn.ts.
import * as torch from 'typetorch';

const { nn } = torch;

/** Logits [N, 10] of images [N, 1, 28, 28]. */
export class CNN extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 32, 3),
    new nn.ReLU(),
    new nn.Conv2d(32, 64, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(0.25),
  );
  classifier = new nn.Sequential(
    new nn.Linear(9216, 128),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(128, 10),
  );

  forward(x: torch.Tensor): torch.Tensor {
    return this.classifier(this.features(x).flatten(1));
  }
}
