import type { ReportQueue } from "../../../src/model/report-queue.ts";
import { LazyMap } from "../lazy-map.ts";
/** What a technician should know of a device, by topic, so that each is taken back when it is over. */
export class Notices {
  readonly #reports: ReportQueue;
  readonly #notices = new LazyMap<string, string>();

  /** @param reports where all that stand are told whenever one changes */
  constructor(reports: ReportQueue) {
    this.#reports = reports;
  }

  /** @param text absent when there is nothing to say of the topic any more */
  set(topic: string, text: string | undefined): void {
    if (this.#notices.get(topic) === text) return;
    if (text === undefined) this.#notices.delete(topic);
    else this.#notices.set(topic, text);
    this.#reports.push({ kind: "notices", notices: [...this.#notices.values()] });
  }
}
