import { parentPort, workerData } from "node:worker_threads";
import { dtls } from "node-dtls-client";
import { HandshakeMessages, HandshakeType, ServerKeyExchange } from "node-dtls-client/build/DTLS/Handshake.js";
import type { DtlsEvent, DtlsOptions, DtlsOrder } from "./dtls-messages.ts";

// The DTLS library throws where nobody can catch it when a datagram makes no sense to it. Here that ends this thread only.

// A server may send a PSK identity hint in a ServerKeyExchange (RFC 4279, 2). The library has the message and its handler,
// and lacks this row of its table, without which such a handshake fails.
HandshakeMessages[HandshakeType.server_key_exchange] = ServerKeyExchange;

const { address, port, family, identity, key, handshakeMs } = workerData as DtlsOptions;
const tell = (event: DtlsEvent) => parentPort?.postMessage(event);

const socket = dtls.createSocket({
  type: family === 6 ? "udp6" : "udp4",
  address,
  port,
  // The library turns the text back into one byte a letter.
  psk: { [identity]: Buffer.from(key).toString("latin1") },
  timeout: handshakeMs,
  // CCM_8 is what every CoAP device has to have (RFC 7252, 9.1.3.1).
  ciphers: ["TLS_PSK_WITH_AES_128_CCM_8", "TLS_PSK_WITH_AES_128_CCM", "TLS_PSK_WITH_AES_128_GCM_SHA256"],
});
socket.on("connected", () => tell({ kind: "connected" }));
socket.on("message", (datagram: Buffer) => tell({ kind: "datagram", datagram }));
socket.on("error", (error: Error) => end(error.message));
socket.on("close", () => end("the device closed the DTLS session"));

parentPort?.on("message", (order: DtlsOrder) => {
  if (order.kind === "send") socket.send(Buffer.from(order.datagram));
  // The alert is on its way before the thread ends.
  else socket.close(() => end("closed"));
});

function end(reason: string): void {
  tell({ kind: "lost", reason });
  parentPort?.close();
}
