/** What became of one input. */
export type Outcome =
  /** It, or a right message that was sent behind it, was answered after so long. */
  | { readonly kind: "answered"; readonly tookMs: number; readonly internalError: boolean }
  /** The other side hung up, which it may. */
  | { readonly kind: "closed" }
  | { readonly kind: "silent" };
