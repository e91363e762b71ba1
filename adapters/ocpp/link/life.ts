/** An end that others may wait for. Its signal is made when somebody does: there is a life for each charger, and mostly nobody waits. */
export class Life {
  #controller: AbortController | undefined;
  #end: { readonly why: unknown } | undefined;

  /** Aborts with the reason of the end, or has done so. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#end !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#end.why);
    return this.#controller.signal;
  }

  end(why: unknown): void {
    this.#end ??= { why };
    this.#controller?.abort(this.#end.why);
  }
}
