import modbusSerial from "modbus-serial";

const ModbusClient = modbusSerial.default;

/** A Modbus client that is not ours. */
export type Client = InstanceType<typeof ModbusClient>;

/** Connects over TCP. @param framing `rtu`: RTU frames in the TCP stream */
export async function connectTo(
  { host, port }: { host: string; port: number },
  options: { unit?: number; framing?: "tcp" | "rtu"; timeoutMs?: number } = {},
): Promise<Client & AsyncDisposable> {
  const client = new ModbusClient();
  client.on("error", () => {});
  if (options.framing === "rtu") await client.connectTelnet(host, { port });
  else await client.connectTCP(host, { port });
  client.setID(options.unit ?? 1);
  client.setTimeout(options.timeoutMs ?? 2000);
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      client.destroy(() => {});
    },
  });
}
