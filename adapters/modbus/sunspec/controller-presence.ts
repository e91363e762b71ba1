import type { Log } from "../../../src/log.ts";
import type { WriteBudget } from "../../wear/write-budget.ts";
import type { WritePolicy } from "../../wear/write-policy.ts";
import { ModbusError } from "../link/modbus-error.ts";
import { type Authority, readAuthority } from "./authority.ts";
import type { Facts, SunSpecDevice } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";

/** Heartbeat registers are there to be written every second. */
const HEARTBEAT_POLICY: WritePolicy = { cyclic: "ok" };
/** The device says that it does not want it, or it takes single registers only. */
const UNWANTED: ReadonlySet<string> = new Set(["exception", "argument"]);

/** Our standing with a device: whether it may be controlled from here, and the sign of life that it wants. */
export class ControllerPresence {
  readonly #device: SunSpecDevice;
  readonly #budget: WriteBudget;
  readonly #log: Log;
  readonly #brokenHeartbeats = new Set<string>();
  #local: string | undefined;

  constructor(device: SunSpecDevice, budget: WriteBudget, log: Log) {
    this.#device = device;
    this.#budget = budget;
    this.#log = log;
  }

  /** The point that said "local" when it was last asked; absent if it may be controlled from here. */
  get local(): string | undefined {
    return this.#local;
  }

  /** @throws SunSpecError `refused` if somebody at the device has it */
  async mustBeRemote(facts: Facts, signal: AbortSignal): Promise<void> {
    if (!facts.hasAuthority) return;
    const { local } = await this.#ask(facts, signal);
    if (local !== undefined) {
      throw new SunSpecError("refused", `${local} says local: whoever is at the device controls it, and we do not`);
    }
  }

  /** Looks who controls the device. */
  async look(signal: AbortSignal): Promise<void> {
    if (!this.#device.facts?.hasAuthority) return;
    await this.#device.withMap(signal, (facts) => this.#ask(facts, signal));
  }

  /** Looks who controls the device, and moves the counters by which it sees that its controller is alive. */
  async beat(signal: AbortSignal): Promise<void> {
    if (!this.#device.facts?.hasAuthority) return;
    await this.#device.withMap(signal, async (facts) => {
      const { local, heartbeats } = await this.#ask(facts, signal);
      if (local !== undefined) return;
      const fc = facts.quirks.writeFunction;
      for (const { name, address, next } of heartbeats) {
        if (this.#brokenHeartbeats.has(name)) continue;
        const registers = next.map((_, index) => address + index);
        if (!this.#budget.spend(registers, HEARTBEAT_POLICY).ok) continue;
        try {
          await this.#device.registers.write(address, next, { mayTear: false, ...(fc && { fc }) }, signal);
        } catch (error) {
          if (!(error instanceof ModbusError) || !UNWANTED.has(error.fault)) throw error;
          this.#brokenHeartbeats.add(name);
          this.#log.warn("the device does not take the heartbeat of its controller", {
            point: name,
            reason: error.message,
          });
        }
      }
    });
  }

  async #ask(facts: Facts, signal: AbortSignal): Promise<Authority> {
    const authority = await readAuthority(this.#device.registers, facts.chain, this.#device.kind, signal);
    this.#local = authority.local;
    return authority;
  }
}
