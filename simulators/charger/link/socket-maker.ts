import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { OnChargerEvent } from "../charger-event.ts";
import type { CallHandler } from "../dialect.ts";
import { CallFaults } from "../faults/call-faults.ts";
import type { MessageRecord } from "../message-record.ts";
import { ChargerSocket, type ChargerSocketOptions, type SchemaFailure } from "./charger-socket.ts";
import type { ExtraFrame } from "./frame-sieve.ts";

export interface SocketMakerOptions extends ChargerSocketOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly record: MessageRecord;
  readonly handlers: () => Readonly<Record<string, CallHandler>>;
  readonly onEvent: OnChargerEvent;
}

/** Makes the sockets of one charger, each with all that it answers. */
export class SocketMaker {
  readonly #options: SocketMakerOptions;
  readonly #faults: CallFaults;

  constructor(options: SocketMakerOptions) {
    this.#options = options;
    this.#faults = new CallFaults(options);
  }

  make(): ChargerSocket {
    const { record, handlers, onEvent, log } = this.#options;
    const socket = new ChargerSocket(this.#options);
    for (const [action, handler] of Object.entries(handlers())) {
      socket.handle(action, async ({ params, messageId = "" }) => {
        if (action === "SetChargingProfile") record.addProfile(params);
        return await this.#faults.answer({ action, messageId, params }, handler, (frame) => socket.sendRaw(frame));
      });
    }
    socket.on("open", () => onEvent({ event: "connected" }));
    socket.on("strictValidationFailure", (failure: SchemaFailure) => record.addViolation(failure));
    socket.on("extraFrame", (frame: ExtraFrame) => record.addExtra(frame));
    socket.on("badMessage", ({ error }: { error: Error }) => {
      log.debug("a frame cannot be read", { text: error.message });
    });
    return socket;
  }
}
