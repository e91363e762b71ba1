import { afterEach, describe, expect, test } from "vitest";
import { CoapError } from "../../adapters/coap/link/coap-error.ts";
import { CoapLink, type CoapRequest } from "../../adapters/coap/link/coap-link.ts";
import { systemClock } from "../../src/clock.ts";
import { readMessage, UdpPeer, writeMessage } from "../support/udp-peer.ts";
import { waitFor } from "../support/wait-for.ts";

const GET: CoapRequest = { method: "GET", path: "/a" };
const never = new AbortController().signal;
const ETAG = 4;
const CONTENT_FORMAT = 12;
const BLOCK2 = 23;
const BLOCK1 = 27;

let peer: UdpPeer | undefined;
let link: CoapLink | undefined;

afterEach(async () => {
  link?.close();
  await peer?.[Symbol.asyncDispose]();
});

/** A link to a peer that answers like this. */
async function linkTo(
  answer: (datagram: Buffer, count: number) => readonly Buffer[],
  psk?: { identity: string; key: Buffer },
): Promise<CoapLink> {
  peer = new UdpPeer();
  const port = await peer.listen(answer);
  link = new CoapLink(
    // A thread takes its time to start on a busy machine.
    {
      host: "127.0.0.1",
      port,
      blockBytes: 64,
      ...(psk === undefined ? { deadlineMs: 1500 } : { deadlineMs: 6000, psk }),
    },
    systemClock,
  );
  return link;
}

const faultOf = async (asking: Promise<unknown>): Promise<CoapError> => {
  const error: unknown = await asking.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CoapError);
  return error as CoapError;
};

describe("a CoAP peer", () => {
  test("that answers in two blocks is read as one", async () => {
    const made = await linkTo((datagram, count) => {
      const asked = readMessage(datagram);
      const isSecond = count === 2;
      const block = isSecond ? Buffer.of(0x12) : Buffer.of(0x0a);
      const payload = Buffer.alloc(64, isSecond ? "b" : "a");
      return [
        writeMessage(
          "ACK",
          "2.05",
          asked,
          [
            [CONTENT_FORMAT, Buffer.alloc(0)],
            [BLOCK2, block],
          ],
          payload,
        ),
      ];
    });
    const answer = await made.ask(GET, never);
    expect(answer.payload.toString()).toBe("a".repeat(64) + "b".repeat(64));
    expect(answer.contentFormat).toBe(0);
  });

  test("that sends blocks without end is cut off", async () => {
    let block = 0;
    const made = await linkTo((datagram) => {
      const number = block++;
      const option =
        number < 16 ? Buffer.of((number << 4) | 0x0e) : Buffer.of(number >> 4, ((number & 15) << 4) | 0x0e);
      return [writeMessage("ACK", "2.05", readMessage(datagram), [[BLOCK2, option]], Buffer.alloc(1024, "x"))];
    });
    const fault = await faultOf(made.ask(GET, never));
    expect(fault.fault).toBe("protocol");
    expect(fault.message).toContain("more than");
  });

  test("that mistakes the blocks it is sent ends in a fault", async () => {
    const made = await linkTo((datagram) => [
      writeMessage("ACK", "2.31", readMessage(datagram), [[BLOCK1, Buffer.of(0x7a)]]),
    ]);
    const request: CoapRequest = { method: "PUT", path: "/a", payload: Buffer.alloc(500, "x") };
    const fault = await faultOf(made.ask(request, never));
    expect(fault.fault).toBe("protocol");
    expect(fault.message).toContain("took block 7 where 0 was sent");
  });

  test.each([
    ["without a word of blocks", [], "took the first block for the whole message"],
    ["and wants larger ones", [[BLOCK1, Buffer.of(0x0e)]], "asked for blocks of 1024 bytes"],
  ] as const)("that takes the first block of a write %s has not taken the write", async (_, options, message) => {
    const made = await linkTo((datagram) => [writeMessage("ACK", "2.04", readMessage(datagram), options)]);
    const request: CoapRequest = { method: "PUT", path: "/a", payload: Buffer.alloc(500, "x") };
    const fault = await faultOf(made.ask(request, never));
    expect(fault.fault).toBe("protocol");
    expect(fault.message).toContain(message);
  });

  test("that says go on when nothing is left has not taken the write", async () => {
    const made = await linkTo((datagram) => [writeMessage("ACK", "2.31", readMessage(datagram))]);
    const request: CoapRequest = { method: "PUT", path: "/a", payload: Buffer.from("1") };
    expect((await faultOf(made.ask(request, never))).fault).toBe("protocol");
  });

  test("whose datagrams the network doubles is read once", async () => {
    const made = await linkTo((datagram, count) => {
      const asked = readMessage(datagram);
      if (asked.type === "RST") return [];
      const isSecond = count % 2 === 0;
      const block = isSecond ? Buffer.of(0x12) : Buffer.of(0x0a);
      const answer = writeMessage("ACK", "2.05", asked, [[BLOCK2, block]], Buffer.alloc(64, isSecond ? "b" : "a"));
      return [answer, answer, answer];
    });
    expect((await made.ask(GET, never)).payload.toString()).toBe("a".repeat(64) + "b".repeat(64));
    expect((await made.ask(GET, never)).payload.toString()).toBe("a".repeat(64) + "b".repeat(64));
  });

  test.each([
    [
      "another block than the one that was asked for",
      Buffer.of(0x52),
      Buffer.of(1),
      64,
      "sent what begins at byte 320",
    ],
    ["a block of another version", Buffer.of(0x12), Buffer.of(2), 64, "changed the resource while it was read"],
    ["a block that is shorter than it says", Buffer.of(0x1a), Buffer.of(1), 40, "sent 40 bytes in a block of 64"],
  ])("that sends %s ends in a fault", async (_, second, etag, bytes, message) => {
    const made = await linkTo((datagram, count) => [
      writeMessage(
        "ACK",
        "2.05",
        readMessage(datagram),
        [
          [ETAG, count === 1 ? Buffer.of(1) : etag],
          [BLOCK2, count === 1 ? Buffer.of(0x0a) : second],
        ],
        Buffer.alloc(count === 1 ? 64 : bytes, "a"),
      ),
    ]);
    const fault = await faultOf(made.ask(GET, never));
    expect(fault.fault).toBe("protocol");
    expect(fault.message).toContain(message);
  });

  test("that sends an impossible block size ends in a fault", async () => {
    const made = await linkTo((datagram) => [
      writeMessage("ACK", "2.05", readMessage(datagram), [[BLOCK2, Buffer.of(0x0f)]], Buffer.from("x")),
    ]);
    await faultOf(made.ask(GET, never));
  });

  test("that sends what is no CoAP, a foreign token, and then an answer, is heard in the end", async () => {
    const made = await linkTo((datagram) => {
      const asked = readMessage(datagram);
      const foreign = { messageId: asked.messageId, token: Buffer.alloc(8, 7) };
      return [
        Buffer.from("hello"),
        Buffer.alloc(0),
        Buffer.of(0x4f, 0x45, 0, 1),
        writeMessage("ACK", "2.05", foreign, [], Buffer.from("bad")),
        writeMessage("ACK", "2.05", asked, [], Buffer.from("good")),
      ];
    });
    expect((await made.ask(GET, never)).payload.toString()).toBe("good");
  });

  test("that resets the exchange is away", async () => {
    const made = await linkTo((datagram) => [
      writeMessage("RST", "0.00", { messageId: readMessage(datagram).messageId, token: Buffer.alloc(0) }),
    ]);
    expect((await faultOf(made.ask(GET, never))).fault).toBe("unreachable");
  });

  test.each([
    ["4.01", "refused"],
    ["4.04", "refused"],
    ["4.29", "unreachable"],
    ["5.00", "unreachable"],
    ["5.01", "refused"],
    ["5.03", "unreachable"],
    ["3.00", "protocol"],
    ["7.31", "protocol"],
  ] as const)("that answers %s is %s", async (code, fault) => {
    const made = await linkTo((datagram) => [writeMessage("ACK", code, readMessage(datagram))]);
    expect((await faultOf(made.ask(GET, never))).fault).toBe(fault);
  });

  test("that is silent ends in a timeout, and after that is asked anew", async () => {
    let isSilent = true;
    const made = await linkTo((datagram) =>
      isSilent ? [] : [writeMessage("ACK", "2.05", readMessage(datagram), [], Buffer.from("1"))],
    );
    const fault = await faultOf(made.ask({ method: "PUT", path: "/a", payload: Buffer.from("1") }, never));
    expect(fault.fault).toBe("timeout");
    expect(fault.message).toContain("unknown");
    isSilent = false;
    expect((await made.ask(GET, never)).payload.toString()).toBe("1");
  });

  test("that is not there is told at once", async () => {
    peer = new UdpPeer();
    const port = await peer.listen(() => []);
    await peer[Symbol.asyncDispose]();
    peer = undefined;
    link = new CoapLink({ host: "127.0.0.1", port, deadlineMs: 20_000, blockBytes: 64 }, systemClock);
    expect((await faultOf(link.ask(GET, never))).fault).toBe("unreachable");
  });

  test("that acknowledges and answers later, confirmably, is waited for and gets its acknowledgement", async () => {
    const made = await linkTo((datagram) => {
      const asked = readMessage(datagram);
      if (asked.type === "ACK") return [];
      return [
        writeMessage("ACK", "0.00", { messageId: asked.messageId, token: Buffer.alloc(0) }),
        writeMessage("CON", "2.05", { messageId: 0x7777, token: asked.token }, [], Buffer.from("later")),
      ];
    });
    expect((await made.ask(GET, never)).payload.toString()).toBe("later");
    await waitFor("the acknowledgement", () => (peer?.heard ?? 0) >= 2);
  });

  test("a call that is no longer wanted ends at once, and the next one goes through", async () => {
    let isSilent = true;
    const made = await linkTo((datagram) =>
      isSilent ? [] : [writeMessage("ACK", "2.05", readMessage(datagram), [], Buffer.from("1"))],
    );
    const impatient = new AbortController();
    const call = made.ask(GET, impatient.signal);
    await waitFor("the request", () => (peer?.heard ?? 0) > 0);
    impatient.abort(new Error("no longer wanted"));
    await expect(call).rejects.toThrow("no longer wanted");
    isSilent = false;
    expect((await made.ask(GET, never)).payload.toString()).toBe("1");
  });
});

describe("a DTLS peer", () => {
  /** A handshake message in a record of epoch 0 (RFC 6347, 4.1 and 4.2.2). */
  const handshake = (type: number, body: Buffer) => {
    const length = Buffer.alloc(3);
    length.writeUIntBE(body.length, 0, 3);
    const message = Buffer.concat([Buffer.of(type), length, Buffer.alloc(2), Buffer.alloc(3), length, body]);
    const header = Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt16BE(message.length, 11);
    return Buffer.concat([header, message]);
  };
  const psk = { identity: "gateway", key: Buffer.from("secret") };

  test.each([
    ["a message that the library does not know", handshake(11, Buffer.alloc(3))],
    ["a key hint before its hello", handshake(12, Buffer.from([0, 4, 0x43, 0x6f]))],
    ["a hello of two bytes", handshake(2, Buffer.of(0xfe, 0xfd))],
    ["a record that is cut off", Buffer.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1])],
  ])("that sends %s ends in a fault of its own link", async (_what, datagram) => {
    const made = await linkTo(() => [datagram], psk);
    const fault = await faultOf(made.ask(GET, never));
    expect(["unreachable", "timeout"]).toContain(fault.fault);
    expect(fault.message).not.toContain("secret");
    expect(peer?.heard).toBeGreaterThan(0);
  });
});
