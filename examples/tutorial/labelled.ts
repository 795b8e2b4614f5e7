// A dataset of the user's own, in a module of its own: worker threads load it from here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as torch from 'typetorch';
import { utils } from 'typetorch';
import { Image, transforms } from 'typetorch/vision';

const transform = new transforms.Compose([
  new transforms.Resize(16),
  new transforms.ToTensor(),
  new transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
]);

/** Pictures named in a text file, with labels from a table with the columns `Image_index` and `Label`. */
export class Labelled extends utils.data.Dataset<[torch.Tensor, number]> {
  static override module = import.meta.url;
  private readonly names: string[];
  private readonly labels: Record<string, number>;
  constructor(
    private readonly folder: string,
    table: string,
    list: string,
  ) {
    super();
    const rows = readFileSync(table, 'utf8').trim().split('\n').slice(1);
    this.labels = Object.fromEntries(
      rows.map((row) => {
        const [index, label] = row.split(',');
        return [index, Number(label)];
      }),
    );
    this.names = readFileSync(list, 'utf8').trim().split('\n');
  }
  async __getitem__(index: number): Promise<[torch.Tensor, number]> {
    const name = this.names[index];
    const picture = (await Image.open(join(this.folder, name))).convert('RGB');
    return [transform(picture), this.labels[name]];
  }
  __len__(): number {
    return this.names.length;
  }
}
