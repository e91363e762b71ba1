import { LazyMap } from "../lazy-map.ts";
import { type Tag, type TagVerdict, verdictOn } from "./tag.ts";

/** `open`: everybody may charge. `list`: who is on the list. `deny`: only what is started from here. */
export type AdmissionMode = "open" | "list" | "deny";

/** Tokens of our own orders that a charger may ask back for; a site has few connectors. */
const MAX_ORDERED = 64;

const NOBODY: readonly Tag[] = [];

const INVALID: TagVerdict = { status: "Invalid" };

/** What the config says of who may charge; one for all stations of which it says the same. */
export class AdmissionRule {
  readonly mode: AdmissionMode;
  /** All that may charge, for the list that the charger keeps itself. */
  readonly tags: readonly Tag[];
  /** Absent where nobody is on a list. */
  readonly #byTag: ReadonlyMap<string, Tag> | undefined;

  constructor(mode: AdmissionMode, tags: readonly Tag[]) {
    this.mode = mode;
    this.tags = mode === "list" ? tags : NOBODY;
    if (this.tags.length > 0) this.#byTag = new Map(this.tags.map((tag) => [tag.tag.toLowerCase(), tag]));
  }

  isSame({ mode, tags }: AdmissionRule): boolean {
    return this.mode === mode && JSON.stringify(this.tags) === JSON.stringify(tags);
  }

  find(token: string): Tag | undefined {
    return this.#byTag?.get(token.toLowerCase());
  }
}

/** Who may charge at one station: by the rule, and whom we have started something for. */
export class Admission {
  readonly #rule: AdmissionRule;
  readonly #now: () => number;
  /** Tokens that we started something with, until when they count. */
  readonly #ordered = new LazyMap<string, number>();

  constructor(rule: AdmissionRule, now: () => number) {
    this.#rule = rule;
    this.#now = now;
  }

  get mode(): AdmissionMode {
    return this.#rule.mode;
  }

  /** A charger may ask back whether the token of a remote start or a reservation is good (AuthorizeRemoteTxRequests). */
  expect(token: string, untilMs: number): void {
    this.#ordered.set(token.toLowerCase(), untilMs);
    const oldest = this.#ordered.keys().next();
    if (this.#ordered.size > MAX_ORDERED && !oldest.done) this.#ordered.delete(oldest.value);
  }

  isExpected(token: string): boolean {
    const untilMs = this.#ordered.get(token.toLowerCase());
    return untilMs !== undefined && this.#now() < untilMs;
  }

  find(token: string): Tag | undefined {
    return this.#rule.find(token);
  }

  /** @param token absent where the charger named none */
  verdict(token: string | undefined): TagVerdict {
    if (this.mode === "open") return { status: "Accepted" };
    if (token === undefined) return INVALID;
    if (this.isExpected(token)) return { status: "Accepted" };
    const tag = this.find(token);
    return tag === undefined ? INVALID : verdictOn(tag, this.#now());
  }
}
