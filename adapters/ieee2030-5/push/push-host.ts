import type { Adapter } from "../../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, AdapterOperation, DeviceRole, Stranger } from "../../kind.ts";
import { listControls } from "../commands/listed-controls.ts";
import type { PushDevice } from "../config.ts";
import { PushedDevice } from "./push-device.ts";

/** Nothing is shared between devices that are pushed to; it only makes their adapters. */
export class PushHost implements AdapterHost<PushDevice> {
  readonly #context: AdapterContext;
  readonly #devices: PushedDevice[] = [];
  readonly operations: Readonly<Record<string, AdapterOperation>>;

  constructor(context: AdapterContext) {
    this.#context = context;
    this.operations = { controls: listControls(() => this.#devices, context.clock) };
  }

  async start(): Promise<void> {}

  adapter(role: DeviceRole, device: PushDevice): Adapter {
    const { clock, log, memory } = this.#context;
    const pushed = new PushedDevice({ ...role, device, clock, log, memory });
    this.#devices.push(pushed);
    return pushed;
  }

  addresses(): Readonly<Record<string, string>> {
    return {};
  }

  strangers(): readonly Stranger[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#devices.map((device) => device[Symbol.asyncDispose]()));
  }
}
