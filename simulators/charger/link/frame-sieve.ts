import { EventEmitter } from "node:events";
import type { WebSocket } from "ws";

const CALL_RESULT_ERROR = 5;
const SEND = 6;

/** A frame of the two kinds that 2.1 added. Neither is ever answered. */
export type ExtraFrame =
  | { readonly kind: "send"; readonly id: string; readonly action: string; readonly payload: unknown }
  | { readonly kind: "result-error"; readonly id: string; readonly code: string; readonly text: string };

/** Cheap look at the first letters: all other frames are parsed by the library alone. */
const EXTRA = /^\s*\[\s*[56]\s*,/;

/** The frame, or nothing for one that the library knows, or that is broken and so is the library's to refuse. */
export function extraFrame(text: string): ExtraFrame | undefined {
  if (!EXTRA.test(text)) return undefined;
  try {
    const [kind, id, third, fourth] = JSON.parse(text) as unknown[];
    if (typeof id !== "string" || typeof third !== "string") return undefined;
    return kind === SEND
      ? { kind: "send", id, action: third, payload: fourth }
      : { kind: "result-error", id, code: third, text: String(fourth ?? "") };
  } catch {
    return undefined;
  }
}

export function sendFrame(id: string, action: string, payload: unknown): string {
  return JSON.stringify([SEND, id, action, payload]);
}

/** Tells the other side that its CALLRESULT cannot be used. */
export function resultErrorFrame(id: string, code: string, text: string): string {
  return JSON.stringify([CALL_RESULT_ERROR, id, code, text.slice(0, 255), {}]);
}

/**
 * A view of a socket for the library, which answers `MessageTypeNotSupported` to frames that it does not know: it hears
 * all that the socket tells, but for what `takes` took.
 *
 * @param early frames that came before the library was ready to listen
 */
export function sieved(socket: WebSocket, early: readonly unknown[], takes: (text: string) => boolean): WebSocket {
  const view = new EventEmitter();
  const pass = (data: unknown, isBinary?: boolean) => {
    if (!takes(String(data))) view.emit("message", data, isBinary);
  };
  for (const event of ["close", "error", "ping", "pong"]) {
    socket.on(event, (...told: unknown[]) => view.emit(event, ...told));
  }
  socket.on("message", pass);
  // The library listens from its next tick on; this one comes after it.
  if (early.length > 0) process.nextTick(() => process.nextTick(() => early.forEach((data) => void pass(data))));
  // It uses nothing of the socket here but what it tells (RPCClient._attachWebsocket).
  return view as unknown as WebSocket;
}
