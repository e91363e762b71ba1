import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Log } from "../../../src/log.ts";
import { type StatusMessage, statusMessage } from "./status-message.ts";

const ANY_ADDRESS = "0.0.0.0";

export interface StatusPortOptions {
  readonly port: number;
  readonly group: string;
  /** Address of this machine in the network whose group is joined; the system chooses unless given. */
  readonly interface?: string | undefined;
  readonly log: Log;
  /** @param from address of the sender */
  readonly onStatus: (status: StatusMessage, from: string) => void;
}

/**
 * Hears the status that devices send to a group or to us. Nobody proves who he is: what comes is a measurement of the device
 * at the sender's address, and never more. It asks and answers nothing.
 */
export class StatusPort implements AsyncDisposable {
  readonly #options: StatusPortOptions;
  #socket: Socket | undefined;

  constructor(options: StatusPortOptions) {
    this.#options = options;
  }

  /** @returns where it really listens @throws Error when the port is taken */
  async listen(): Promise<string> {
    const { port, group, log, onStatus } = this.#options;
    // Other programs on this machine may hear the same group.
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    this.#socket = socket;
    socket.on("message", (datagram, { address }) => {
      const status = statusMessage(datagram);
      if (status !== undefined) onStatus(status, address);
    });
    const listening = once(socket, "listening");
    // Bound to one address it would not hear the group.
    socket.bind(port, ANY_ADDRESS);
    await listening;
    socket.on("error", (error) => log.warn("status of CoAP devices", { fault: error.message }));
    try {
      socket.addMembership(group, this.#options.interface);
    } catch (error) {
      // A machine may have no multicast; devices that send to its address are heard all the same.
      log.warn("no multicast: only devices that send to this address are heard", { group, fault: String(error) });
    }
    return `udp://${ANY_ADDRESS}:${socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}
