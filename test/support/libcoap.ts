import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** libcoap's own client and server, by the TLS library that they stand on. */
export const LIBCOAP_TLS = ["openssl", "gnutls"] as const;

export type LibcoapTls = (typeof LIBCOAP_TLS)[number];

/** True where Debian's package libcoap3-bin is installed. */
export const hasLibcoap = LIBCOAP_TLS.every((tls) => spawnSync(`coap-server-${tls}`, ["-?"]).error === undefined);

export const libcoapSkipped = hasLibcoap ? "" : " (skipped: the Debian package libcoap3-bin is not installed)";

export interface LibcoapServer extends AsyncDisposable {
  readonly port: number;
  /** For DTLS. */
  readonly securePort: number;
}

/** A port that nobody has, with the next one: libcoap shares its port with whoever has it, so that a taken one would not be noticed. */
async function freePair(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const sockets = [createSocket("udp4"), createSocket("udp4")] as const;
    const [first, second] = sockets;
    first.bind(0, "127.0.0.1");
    await once(first, "listening");
    const { port } = first.address();
    const isFree = await new Promise<boolean>((resolve) => {
      second.once("error", () => resolve(false));
      second.bind(port + 1, "127.0.0.1", () => resolve(true));
    });
    for (const socket of sockets) socket.close();
    if (isFree) return port;
  }
  throw new Error("no two free ports beside each other");
}

/** @param options beside address and port, for example `["-k", "secret"]` */
export async function startLibcoapServer(tls: LibcoapTls, options: readonly string[]): Promise<LibcoapServer> {
  const port = await freePair();
  const child: ChildProcess = spawn(
    `coap-server-${tls}`,
    ["-A", "127.0.0.1", "-p", String(port), "-d", "20", ...options],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  return {
    port,
    securePort: port + 1,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}

/** What libcoap's client prints. @param options before the URL, for example `["-m", "put", "-e", "30"]` */
export async function libcoapClient(tls: LibcoapTls, options: readonly string[], url: string): Promise<string> {
  const child = spawn(`coap-client-${tls}`, ["-B", "5", ...options, url], { stdio: ["ignore", "pipe", "pipe"] });
  const printed: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => printed.push(data));
  child.stderr.on("data", (data: Buffer) => printed.push(data));
  await once(child, "close");
  return Buffer.concat(printed).toString("utf8");
}

/** A file that only its owner can read. */
export function secretFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "setpointd-psk-")), "device.psk");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
