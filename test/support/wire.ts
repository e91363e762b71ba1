import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A cable that can be pulled out: all connections end, new ones are possible at once. */
export interface Wire {
  readonly port: number;
  cut(): void;
  close(): Promise<void>;
}

/** @param farPort port on loopback at the other end */
export async function openWire(farPort: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    const far = keep(connect(farPort, "127.0.0.1"));
    keep(near).pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
