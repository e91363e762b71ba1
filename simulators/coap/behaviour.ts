/** What a device does wrong on purpose; may be changed while it runs. */
export interface CoapBehaviour {
  /** Every write is answered with 4.05. */
  refuses: boolean;
  /** Hears everything and says nothing. */
  silent: boolean;
  /** Payloads are bytes that are nothing in any format. */
  talksNonsense: boolean;
  /** Takes a write, shows it, and does not obey. */
  ignoresWrites: boolean;
  /** Answers a request to observe as a plain GET. */
  tellsNothing: boolean;
}

export const wellBehaved = (): CoapBehaviour => ({
  refuses: false,
  silent: false,
  talksNonsense: false,
  ignoresWrites: false,
  tellsNothing: false,
});
