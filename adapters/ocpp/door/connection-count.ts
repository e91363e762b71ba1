import { network } from "./login-guard.ts";

/** Room for chargers that come back before their old connection is given up, and for strangers to be seen. */
const SPARE = 32;

/** How many connections there are, in all and from one address. More than the site's chargers need are not taken. */
export class ConnectionCount {
  readonly #stations: () => number;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(stations: () => number) {
    this.#stations = stations;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * All chargers of a site may stand behind one address, and then no other has a need of its own; two such addresses are
   * what fits in all.
   * @returns false where there is no more room
   */
  enter(address: string): boolean {
    const key = network(address);
    const here = this.#byAddress.get(key) ?? 0;
    const most = this.#stations() + SPARE;
    if (here >= most || this.#total >= 2 * most) return false;
    this.#byAddress.set(key, here + 1);
    this.#total += 1;
    return true;
  }

  leave(address: string): void {
    const key = network(address);
    const here = this.#byAddress.get(key) ?? 0;
    if (here > 1) this.#byAddress.set(key, here - 1);
    else this.#byAddress.delete(key);
    this.#total -= 1;
  }
}
