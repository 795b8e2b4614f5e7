// Tables of vectors.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { embedding } from '../functional/embedding.js';
import { type BagMode, embedding_bag } from '../functional/embedding_bag.js';
import * as init from '../init.js';
import { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter, py, quoted } from './arguments.js';
import { Module } from './module.js';

/** Options that both tables take. */
interface TableOptions {
  /** Row that stays zero and gets no gradient. */
  padding_idx?: number | null;
  /** Rows that are read are first scaled to at most this norm. */
  max_norm?: number | null;
  norm_type?: number;
  scale_grad_by_freq?: boolean;
  sparse?: boolean;
}

export interface EmbeddingParameters extends Factory, TableOptions {
  num_embeddings: number;
  embedding_dim: number;
  _weight?: Tensor | null;
  _freeze?: boolean;
}

/** What both tables keep and do. */
abstract class Table extends Module {
  num_embeddings: number;
  embedding_dim: number;
  padding_idx: number | null;
  max_norm: number | null;
  norm_type: number;
  scale_grad_by_freq: boolean;
  sparse: boolean;
  weight: Parameter;

  constructor(
    rows: number,
    columns: number,
    options: Required<TableOptions>,
    given: Tensor | null,
    freeze: boolean,
    device: DeviceLike | null,
    dtype: DType | null,
  ) {
    super();
    this.num_embeddings = rows;
    this.embedding_dim = columns;
    const padding = options.padding_idx;
    if (padding !== null && (padding >= rows || padding < -rows))
      throw new ValueError('Padding_idx must be within num_embeddings');
    this.padding_idx = padding !== null && padding < 0 ? padding + rows : padding;
    this.max_norm = options.max_norm;
    this.norm_type = options.norm_type;
    this.scale_grad_by_freq = options.scale_grad_by_freq;
    this.sparse = options.sparse;
    if (given === null) {
      this.weight = parameter([rows, columns], device, dtype);
      this.weight.requires_grad_(!freeze);
      this.reset_parameters();
      return;
    }
    if (given.shape.length !== 2 || given.shape[0] !== rows || given.shape[1] !== columns)
      throw new ValueError('Shape of weight does not match num_embeddings and embedding_dim');
    this.weight = new Parameter(given, !freeze);
  }
  /** Standard normal values; zeros in the padding row. */
  reset_parameters(): void {
    init.normal_(this.weight);
    if (this.padding_idx !== null) this.weight.detach().select(0, this.padding_idx).fill_(0);
  }
}

type TableBound = [number | null, number, boolean];

/** Rows of a table by index: input [*] of integers, result [*, embedding_dim]. */
export class Embedding extends Table {
  constructor(
    ...args: Call<
      [num_embeddings: number, embedding_dim: number],
      [
        padding_idx: number | null,
        max_norm: number | null,
        norm_type: number,
        scale_grad_by_freq: boolean,
        sparse: boolean,
        _weight: Tensor | null,
        _freeze: boolean,
        ...FactoryArgs,
      ],
      EmbeddingParameters
    >
  ) {
    const [
      rows,
      columns,
      padding_idx,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      sparse,
      given,
      freeze,
      device,
      dtype,
    ] = bind(
      'Embedding',
      'int num_embeddings, int embedding_dim, int? padding_idx=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, bool sparse=False, Tensor? _weight=None, bool _freeze=False, device? device=None, dtype? dtype=None',
      args,
    ) as [
      number,
      number,
      number | null,
      ...TableBound,
      boolean,
      Tensor | null,
      boolean,
      DeviceLike | null,
      DType | null,
    ];
    super(
      rows,
      columns,
      { padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse },
      given,
      freeze,
      device,
      dtype,
    );
  }
  /** A table with the given rows, which by default are not trained. */
  static from_pretrained(
    embeddings: Tensor,
    ...args:
      | [freeze?: boolean]
      | [freeze: boolean, options: TableOptions]
      | [options: TableOptions & { freeze?: boolean }]
  ): Embedding {
    const [_freeze, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse] = bind(
      'from_pretrained',
      'bool freeze=True, int? padding_idx=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, bool sparse=False',
      args,
    ) as [boolean, number | null, ...TableBound, boolean];
    if (embeddings.shape.length !== 2)
      throw new ValueError('Embeddings parameter is expected to be 2-dimensional');
    const [num_embeddings, embedding_dim] = embeddings.shape;
    return new Embedding({
      num_embeddings,
      embedding_dim,
      _weight: embeddings,
      _freeze,
      padding_idx,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      sparse,
    });
  }
  forward(input: Tensor): Tensor {
    const { padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse } = this;
    return embedding(input, this.weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);
  }
  override extra_repr(): string {
    let text = `${this.num_embeddings}, ${this.embedding_dim}`;
    if (this.padding_idx !== null) text += `, padding_idx=${this.padding_idx}`;
    if (this.max_norm !== null) text += `, max_norm=${py(this.max_norm)}`;
    if (this.norm_type !== 2) text += `, norm_type=${py(this.norm_type)}`;
    if (this.scale_grad_by_freq) text += ', scale_grad_by_freq=True';
    if (this.sparse) text += ', sparse=True';
    return text;
  }
}

export interface EmbeddingBagParameters extends Factory, TableOptions {
  num_embeddings: number;
  embedding_dim: number;
  mode?: BagMode;
  _weight?: Tensor | null;
  include_last_offset?: boolean;
}

/** Sums, means or maxima of bags of rows, without the rows in memory between. */
export class EmbeddingBag extends Table {
  mode: BagMode;
  include_last_offset: boolean;
  constructor(
    ...args: Call<
      [num_embeddings: number, embedding_dim: number],
      [
        max_norm: number | null,
        norm_type: number,
        scale_grad_by_freq: boolean,
        mode: BagMode,
        sparse: boolean,
        _weight: Tensor | null,
        include_last_offset: boolean,
        padding_idx: number | null,
        ...FactoryArgs,
      ],
      EmbeddingBagParameters
    >
  ) {
    const [
      rows,
      columns,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      mode,
      sparse,
      given,
      includeLast,
      padding_idx,
      device,
      dtype,
    ] = bind(
      'EmbeddingBag',
      "int num_embeddings, int embedding_dim, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? _weight=None, bool include_last_offset=False, int? padding_idx=None, device? device=None, dtype? dtype=None",
      args,
    ) as [
      number,
      number,
      ...TableBound,
      BagMode,
      boolean,
      Tensor | null,
      boolean,
      number | null,
      DeviceLike | null,
      DType | null,
    ];
    super(
      rows,
      columns,
      { padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse },
      given,
      false,
      device,
      dtype,
    );
    this.mode = mode;
    this.include_last_offset = includeLast;
  }
  /** A table with the given rows, which by default are not trained. */
  static from_pretrained(
    embeddings: Tensor,
    ...args:
      | [freeze?: boolean]
      | [freeze: boolean, options: Omit<EmbeddingBagParameters, 'num_embeddings' | 'embedding_dim'>]
      | [options: Omit<EmbeddingBagParameters, 'num_embeddings' | 'embedding_dim'> & { freeze?: boolean }]
  ): EmbeddingBag {
    const [freeze, max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx] =
      bind(
        'from_pretrained.',
        "bool freeze=True, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, bool include_last_offset=False, int? padding_idx=None",
        args,
      ) as [boolean, ...TableBound, BagMode, boolean, boolean, number | null];
    if (embeddings.shape.length !== 2)
      throw new ValueError('Embeddings parameter is expected to be 2-dimensional');
    const [num_embeddings, embedding_dim] = embeddings.shape;
    const bag = new EmbeddingBag({
      num_embeddings,
      embedding_dim,
      _weight: embeddings,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      mode,
      sparse,
      include_last_offset,
      padding_idx,
    });
    bag.weight.requires_grad_(!freeze);
    return bag;
  }
  forward(input: Tensor, offsets: Tensor | null = null, per_sample_weights: Tensor | null = null): Tensor {
    const { max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx } = this;
    return embedding_bag(input, this.weight, {
      offsets,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      mode,
      sparse,
      per_sample_weights,
      include_last_offset,
      padding_idx,
    });
  }
  override extra_repr(): string {
    let text = `${this.num_embeddings}, ${this.embedding_dim}`;
    if (this.max_norm !== null) text += `, max_norm=${py(this.max_norm)}`;
    if (this.norm_type !== 2) text += `, norm_type=${py(this.norm_type)}`;
    if (this.scale_grad_by_freq) text += ', scale_grad_by_freq=True';
    text += `, mode=${quoted(this.mode)}`;
    if (this.padding_idx !== null) text += `, padding_idx=${this.padding_idx}`;
    return text;
  }
}
