import { backoffMs, type Clock } from "../../src/clock.ts";
import { BadDocument, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { type PollRates, pollIntervalMs } from "./poll-rate.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

const RETRY_BASE_MS = 2_000;
/** Items asked for at once, and the most that one list may have. */
const PAGE = 100;
const MOST_ITEMS = 2_000;

/** One resource as it was read last. */
export interface PolledResource {
  readonly document: XmlElement;
  /** True where it was read in this round, by whichever link. */
  readonly isFresh: boolean;
  /** Elapsed ms at which it was asked for. */
  readonly askedAtMs: number;
  /** What it says itself, seconds; for those below it that say nothing. */
  readonly pollRateS: number | undefined;
}

interface Kept {
  document?: XmlElement;
  askedAtMs: number;
  dueAtMs: number;
  attempts: number;
  /** Of the last link that led to it. */
  round: number;
  /** Of the last time that the server showed it. */
  readRound: number;
}

export interface PolledResourcesOptions {
  readonly connection: UtilityConnection;
  readonly clock: Clock;
  readonly rates: PollRates;
  readonly random: () => number;
  /** A resource was read, or could not be. */
  readonly onOutcome: (href: string, fault: UtilityFault | BadDocument | undefined) => void;
}

/**
 * The server's resources, each read again at its own rate. What can't be read stays as it was: a server that is out of
 * reach changes nothing of what it said.
 */
export class PolledResources {
  readonly #options: PolledResourcesOptions;
  readonly #kept = new Map<string, Kept>();
  #round = 0;
  /** The round in which nobody answered: no more is asked in it, since each question would wait as long. */
  #deadRound = -1;

  constructor(options: PolledResourcesOptions) {
    this.#options = options;
  }

  beginRound(): void {
    this.#round += 1;
  }

  /** Forgets what no link of this round led to. */
  endRound(): void {
    for (const [href, kept] of this.#kept) if (kept.round !== this.#round) this.#kept.delete(href);
  }

  /** A link is to be read at the next round, whatever its rate. @returns false where it is none of those that are polled */
  hasten(href: string): boolean {
    const kept = this.#kept.get(href);
    if (kept !== undefined) kept.dueAtMs = 0;
    return kept !== undefined;
  }

  /** Elapsed ms until something is due; 0 or less: now. */
  get dueInMs(): number {
    const now = this.#options.clock.elapsedMs();
    return Math.min(...[...this.#kept.values()].map(({ dueAtMs }) => dueAtMs - now));
  }

  /** One document, from the server where its time has come. @returns nothing where it could never be read */
  read(href: string, signal: AbortSignal, inheritedS?: number): Promise<PolledResource | undefined> {
    return this.#look(href, inheritedS, () => this.#options.connection.get(href, signal), signal);
  }

  /** As `read`, for a list: all its pages as one document. */
  readList(href: string, signal: AbortSignal, inheritedS?: number): Promise<PolledResource | undefined> {
    return this.#look(href, inheritedS, () => this.#pages(href, signal), signal);
  }

  async #look(
    href: string,
    inheritedS: number | undefined,
    fetch: () => Promise<XmlElement>,
    signal: AbortSignal,
  ): Promise<PolledResource | undefined> {
    const { clock, rates, random, onOutcome } = this.#options;
    const kept = this.#kept.get(href) ?? { askedAtMs: 0, dueAtMs: 0, attempts: 0, round: 0, readRound: 0 };
    this.#kept.set(href, kept);
    kept.round = this.#round;
    const askedAtMs = clock.elapsedMs();
    if (kept.dueAtMs <= askedAtMs && this.#deadRound !== this.#round) {
      try {
        kept.document = await fetch();
        kept.askedAtMs = askedAtMs;
        kept.attempts = 0;
        // From when it was asked for, so that the way there makes no poll late.
        kept.dueAtMs = askedAtMs + pollIntervalMs(rates, saidRateS(kept.document), inheritedS);
        kept.readRound = this.#round;
        onOutcome(href, undefined);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof UtilityFault || error instanceof BadDocument)) throw error;
        const intervalMs = pollIntervalMs(rates, kept.document && saidRateS(kept.document), inheritedS);
        const retryMs = backoffMs(kept.attempts, RETRY_BASE_MS, intervalMs, random);
        const askedMs = error instanceof UtilityFault ? (error.retryAfterMs ?? 0) : 0;
        if (error instanceof UtilityFault && error.isSilence) this.#deadRound = this.#round;
        kept.attempts += 1;
        kept.dueAtMs = clock.elapsedMs() + Math.max(retryMs, askedMs);
        onOutcome(href, error);
      }
    }
    if (kept.document === undefined) return undefined;
    const pollRateS = saidRateS(kept.document) ?? inheritedS;
    const isFresh = kept.readRound === this.#round;
    return { document: kept.document, isFresh, askedAtMs: kept.askedAtMs, pollRateS };
  }

  /** Asks page by page until as many came as there are (2030.5-2018, 4.6: without `l` only one comes). */
  async #pages(href: string, signal: AbortSignal): Promise<XmlElement> {
    const children: XmlElement[] = [];
    for (;;) {
      const page = await this.#options.connection.get(withPage(href, children.length), signal);
      const all = attributeOf(page, "all");
      const results = attributeOf(page, "results");
      children.push(...page.children);
      if (children.length >= all || results === 0 || page.children.length === 0) return { ...page, children };
      if (children.length > MOST_ITEMS) throw new BadDocument(`${href} has more than ${MOST_ITEMS} items`);
    }
  }
}

function withPage(href: string, start: number): string {
  return `${href}${href.includes("?") ? "&" : "?"}s=${start}&l=${PAGE}`;
}

function attributeOf(list: XmlElement, name: string): number {
  const text = list.attributes.get(name) ?? "";
  if (!/^\d{1,10}$/.test(text)) throw new BadDocument(`${list.name} has no ${name}`);
  return Number(text);
}

function saidRateS(document: XmlElement): number | undefined {
  const text = document.attributes.get("pollRate");
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Where a link of a document leads; nothing where it has none. */
export function linkOf(parent: XmlElement, name: string): string | undefined {
  const links = parent.children.filter((child) => child.name === name);
  return links.map((link) => link.attributes.get("href")).find((href) => href !== undefined && href !== "");
}
