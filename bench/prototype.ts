import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "libsql";
import { type WebSocket, WebSocketServer } from "ws";

// The floor of `on_confirm`: the same steps as the daemon's and nothing beside them. It takes a message over HTTP, checks
// its signature, commits it with FULL sync, sends the limit to the one charger, and acknowledges. No schema, no second
// device, no resend, no verdict. A program of its own, told on its command line where to keep its database and whose
// signature counts; it says on stdout which port it took, and ends when its stdin does.

const [folder = ".", publicKey = ""] = process.argv.slice(2);

const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
const key = createPublicKey({
  key: Buffer.concat([SPKI_HEAD, Buffer.from(publicKey, "base64")]),
  format: "der",
  type: "spki",
});

const database = new Database(join(folder, "prototype.db"));
database.exec("PRAGMA journal_mode = WAL");
database.exec("PRAGMA synchronous = FULL");
database.exec("CREATE TABLE inbox (message_id TEXT PRIMARY KEY, digest TEXT NOT NULL, body TEXT NOT NULL)");
const insert = database.prepare("INSERT INTO inbox (message_id, digest, body) VALUES (?, ?, ?)");

const ACK = '{"message":{"ack":{"status":"ACK"}}}';
const NACK = '{"message":{"ack":{"status":"NACK"}}}';
const AUTHORIZATION = /created="(\d+)",expires="(\d+)".*signature="([^"]+)"/;

let charger: WebSocket | undefined;

function take(body: Buffer, authorization: string): boolean {
  const [, created, expires, signature = ""] = AUTHORIZATION.exec(authorization) ?? [];
  const digest = createHash("blake2b512").update(body).digest("base64");
  const signed = `(created): ${created}\n(expires): ${expires}\ndigest: BLAKE-512=${digest}`;
  const isGenuine = verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64"));
  if (!isGenuine || Number(expires) * 1000 < Date.now()) return false;

  const text = body.toString("utf8");
  const { context, message } = JSON.parse(text) as {
    context: { message_id: string };
    message: { order: { "beckn:orderAttributes": { setpointKW: number; validUntil: string } } };
  };
  insert.run(context.message_id, digest, text);

  const { setpointKW, validUntil } = message.order["beckn:orderAttributes"];
  const profile = {
    chargingProfileId: 7012,
    stackLevel: 0,
    chargingProfilePurpose: "TxProfile",
    chargingProfileKind: "Absolute",
    validTo: validUntil,
    chargingSchedule: {
      startSchedule: new Date().toISOString(),
      duration: 600,
      chargingRateUnit: "A",
      chargingSchedulePeriod: [
        { startPeriod: 0, limit: Math.floor((-setpointKW * 10_000) / 690) / 10, numberPhases: 3 },
      ],
    },
  };
  const call = [2, randomUUID(), "SetChargingProfile", { connectorId: 1, csChargingProfiles: profile }];
  charger?.send(JSON.stringify(call));
  return true;
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const isTaken = take(Buffer.concat(chunks), request.headers.authorization ?? "");
    const answer = isTaken ? ACK : NACK;
    response.writeHead(isTaken ? 200 : 401, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
}

const server = createServer(serve);
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  charger = socket;
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
