import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Clock } from "../../src/clock.ts";
import type { SimDevice } from "./resource.ts";

export interface StatusAnnouncerOptions {
  /** Address of the device; for a group also the network that it is sent to. */
  readonly from: string;
  /** A group, or the one peer that the device was told. */
  readonly to: { readonly host: string; readonly port: number };
  /** Model, id and version of the protocol, for example `SHEM#B9E9C6#2`. */
  readonly deviceId: string;
  /** Elapsed ms between two looks whether the status has changed. */
  readonly lookMs?: number;
  /** Elapsed ms after which it is sent even if it has not. */
  readonly everyMs?: number;
}

const PATH = "/cit/s";
/** Options of CoIoT in the order of their numbers. */
const OPTION = { path: 11, deviceId: 3332, validity: 3412, serial: 3420 } as const;
const NON_CONFIRMABLE = 0x50;
const PUBLISH = 30;

/** Sends a Shelly's status unasked, as CoIoT has it: when it changes, and every 15 s. */
export class StatusAnnouncer implements AsyncDisposable {
  readonly #device: SimDevice;
  readonly #clock: Clock;
  readonly #options: StatusAnnouncerOptions;
  readonly #life = new AbortController();
  #socket: Socket | undefined;
  #serial = 0;

  constructor(device: SimDevice, clock: Clock, options: StatusAnnouncerOptions) {
    this.#device = device;
    this.#clock = clock;
    this.#options = options;
  }

  /** @throws Error when the device's address is none of this machine */
  async start(): Promise<void> {
    const socket = createSocket("udp4");
    this.#socket = socket;
    const listening = once(socket, "listening");
    socket.bind(0, this.#options.from);
    await listening;
    if (Number(this.#options.to.host.split(".")[0]) >= 224) socket.setMulticastInterface(this.#options.from);
    void this.#run(this.#life.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new Error("closed"));
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { lookMs = 1000, everyMs = 15_000 } = this.#options;
    let last: Buffer | undefined;
    let sentAtMs = 0;
    while (!signal.aborted) {
      const status = this.#device.resources.get(PATH)?.read();
      const isChanged = status !== undefined && last?.equals(status) !== true;
      if (status !== undefined && (isChanged || this.#clock.elapsedMs() - sentAtMs >= everyMs)) {
        if (isChanged) this.#serial = (this.#serial + 1) & 0xffff;
        last = status;
        sentAtMs = this.#clock.elapsedMs();
        const { host, port } = this.#options.to;
        this.#socket?.send(this.#message(status), port, host, () => {});
      }
      try {
        await this.#clock.sleep(lookMs, signal);
      } catch {
        return;
      }
    }
  }

  #message(payload: Buffer): Buffer {
    const { deviceId, everyMs = 15_000 } = this.#options;
    const validity = Buffer.alloc(2);
    // In tenths of a second, which an even number says.
    validity.writeUInt16BE(Math.round(everyMs / 100) & 0xfffe);
    const serial = Buffer.alloc(2);
    serial.writeUInt16BE(this.#serial);
    const options = [
      ...PATH.slice(1)
        .split("/")
        .map((part): [number, Buffer] => [OPTION.path, Buffer.from(part)]),
      [OPTION.deviceId, Buffer.from(deviceId)] as const,
      [OPTION.validity, validity] as const,
      [OPTION.serial, serial] as const,
    ];
    let number = 0;
    const written = options.map(([option, value]) => {
      const delta = option - number;
      number = option;
      return Buffer.concat([
        Buffer.from([(half(delta) << 4) | half(value.length), ...rest(delta), ...rest(value.length)]),
        value,
      ]);
    });
    const head = Buffer.from([NON_CONFIRMABLE, PUBLISH, 0, 0]);
    head.writeUInt16BE(this.#serial, 2);
    return Buffer.concat([head, ...written, Buffer.of(0xff), payload]);
  }
}

/** RFC 7252, 3.1: what does not fit four bits goes on in one byte or two. */
function half(value: number): number {
  return value < 13 ? value : value < 269 ? 13 : 14;
}

function rest(value: number): readonly number[] {
  if (value < 13) return [];
  return value < 269 ? [value - 13] : [(value - 269) >> 8, (value - 269) & 0xff];
}
