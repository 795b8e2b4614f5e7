// Versions: this library's own, and the PyTorch it follows.

/** The version of typetorch (not of PyTorch: see `version.pytorch`). */
export const __version__ = '0.1.0';

/** Like torch.version: there is no CUDA or ROCm toolkit behind this library. */
export const version: {
  readonly __version__: string;
  readonly pytorch: string;
  readonly cuda: string | null;
  readonly hip: string | null;
  readonly debug: boolean;
} = {
  __version__,
  /** The PyTorch release whose behaviour is the reference. */
  pytorch: '2.13.0',
  cuda: null,
  hip: null,
  debug: false,
};
