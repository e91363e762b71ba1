import { createSocket } from "node:dgram";
import type { DatagramPath, PathEvents } from "./peer-socket.ts";

/**
 * Plain UDP to one device. The socket is connected, so that the system drops what others send, and a closed port is told.
 * @throws Error when there is no way to the address
 */
export async function openPlainPath(
  peer: { readonly address: string; readonly port: number; readonly family: 4 | 6 },
  events: PathEvents,
): Promise<DatagramPath> {
  const socket = createSocket(peer.family === 6 ? "udp6" : "udp4");
  let isLost = false;
  const lose = (error: Error) => {
    if (isLost) return;
    isLost = true;
    events.onLost(error);
  };
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(peer.port, peer.address, () => {
      socket.off("error", reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  socket.on("message", events.onDatagram);
  socket.on("error", lose);
  return {
    send: (datagram) => {
      if (isLost) return;
      socket.send(datagram, (error) => {
        if (error) lose(error);
      });
    },
    close: () => {
      if (!isLost) isLost = true;
      socket.removeAllListeners("message");
      socket.close();
    },
  };
}
