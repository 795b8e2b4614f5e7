/**
 * The options of tensor printing and the state that `torch.set_printoptions` changes.
 * Follows https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
 */

/** How tensors are printed; the fields are those of `torch.set_printoptions`. */
export interface PrintOptions {
  /** Digits after the decimal point of floating-point elements. */
  precision: number;
  /** A tensor with more elements than this is summarised with '...'. */
  threshold: number;
  /** Elements shown at each end of every dimension of a summarised tensor. */
  edgeitems: number;
  /** Characters after which a row is wrapped. */
  linewidth: number;
  /** Scientific notation always (true), never (false), or by the range of the elements (null). */
  sci_mode: boolean | null;
}

/** Sets of defaults that `set_printoptions` knows by name. */
export type PrintProfile = 'default' | 'short' | 'full';

const PROFILES: Readonly<Record<PrintProfile, Readonly<Omit<PrintOptions, 'sci_mode'>>>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Infinity, edgeitems: 3, linewidth: 80 },
};

const current: PrintOptions = { ...PROFILES.default, sci_mode: null };

/**
 * Sets options for printing tensors. Options left out keep their value, except `sci_mode`: as in
 * PyTorch every call sets it, and leaving it out means the automatic choice.
 *
 * @param options.precision digits after the decimal point (default 4)
 * @param options.threshold number of elements above which a tensor is summarised (default 1000)
 * @param options.edgeitems elements shown at each end of a summarised dimension (default 3)
 * @param options.linewidth characters per line (default 80)
 * @param options.profile a set of defaults ('default', 'short', 'full') which the options beside it override
 * @param options.sci_mode scientific notation: true, false, or null for the automatic choice
 */
export function set_printoptions(
  options: {
    precision?: number | null;
    threshold?: number | null;
    edgeitems?: number | null;
    linewidth?: number | null;
    profile?: PrintProfile | null;
    sci_mode?: boolean | null;
  } = {},
): void {
  // An unknown profile is ignored, as PyTorch ignores it.
  if (options.profile != null) Object.assign(current, PROFILES[options.profile]);
  if (options.precision != null) current.precision = options.precision;
  if (options.threshold != null) current.threshold = options.threshold;
  if (options.edgeitems != null) current.edgeitems = options.edgeitems;
  if (options.linewidth != null) current.linewidth = options.linewidth;
  current.sci_mode = options.sci_mode ?? null;
}

/** A copy of the current printing options; `set_printoptions` accepts it back. */
export function get_printoptions(): PrintOptions {
  return { ...current };
}

/** The current options with those that `overrides` gives in their place, for one call of the printer. */
export function resolvePrintOptions(overrides: Partial<PrintOptions>): PrintOptions {
  return {
    precision: overrides.precision ?? current.precision,
    threshold: overrides.threshold ?? current.threshold,
    edgeitems: overrides.edgeitems ?? current.edgeitems,
    linewidth: overrides.linewidth ?? current.linewidth,
    sci_mode: overrides.sci_mode === undefined ? current.sci_mode : overrides.sci_mode,
  };
}
