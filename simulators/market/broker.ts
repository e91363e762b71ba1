import { type AddressInfo, createServer, type Socket } from "node:net";
import { Aedes } from "aedes";

const MAX_CONNECTIONS = 100;

/** An MQTT 3.1.1 broker in this process, for a demo and for tests. It keeps nothing and asks nobody for a password. */
export async function startBroker(port = 0, host = "127.0.0.1"): Promise<{ url: string } & AsyncDisposable> {
  const broker = await Aedes.createBroker({ queueLimit: 1000, connectTimeout: 10_000 });
  // A client that talks nonsense is closed by the broker itself; without a listener the error would end the process.
  broker.on("clientError", () => {});
  broker.on("connectionError", () => {});
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    broker.handle(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
  const { port: boundPort } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = async () => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await stopped;
  };
  return {
    url: `mqtt://${host}:${boundPort}`,
    [Symbol.asyncDispose]: () => {
      closed ??= close();
      return closed;
    },
  };
}
