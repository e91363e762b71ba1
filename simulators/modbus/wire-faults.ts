import type { ModbusBehaviour } from "./behaviour.ts";
import type { Framing, ModbusFrame } from "./frame.ts";
import { exceptionPdu } from "./modbus-request.ts";
import { Nonsense } from "./nonsense.ts";

/** What goes over the wire for one request. */
export interface Reply {
  /** What the line itself says, before the device has thought about it. */
  readonly echo: Buffer | undefined;
  /** In this order, one write each. */
  readonly pieces: readonly Buffer[];
  /** Wait before the first. */
  readonly afterMs: number;
  /** Wait before each further one. */
  readonly gapMs: number;
  /** The connection is reset behind the last. */
  readonly resets: boolean;
}

const NOTHING: Reply = { echo: undefined, pieces: [], afterMs: 0, gapMs: 0, resets: false };
/** Long enough that no two bytes travel together. */
const SPLIT_GAP_MS = 2;

/** Turns right answers into what a bad device or a bad line makes of them. */
export class WireFaults {
  readonly #behaviour: Readonly<ModbusBehaviour>;
  readonly #random: () => number;
  readonly #nonsense = new Nonsense();

  constructor(behaviour: Readonly<ModbusBehaviour>, random: () => number) {
    this.#behaviour = behaviour;
    this.#random = random;
  }

  /** @param answer nothing where this device is not meant or keeps silent */
  reply(request: ModbusFrame, answer: ModbusFrame | undefined, framing: Framing): Reply {
    const behaviour = this.#behaviour;
    const echo = behaviour.echoesRequests && framing.isBus ? framing.encode(request) : undefined;
    const isHit = behaviour.faultShare >= 1 || this.#random() < behaviour.faultShare;
    if (answer === undefined || (isHit && behaviour.silent)) return { ...NOTHING, echo };
    if (!isHit) return { ...NOTHING, echo, pieces: [framing.encode(answer)] };
    const bytes = this.#bytes(request, answer, framing);
    const whole = behaviour.resetsMidFrame ? bytes.subarray(0, bytes.length >> 1) : bytes;
    const times = behaviour.repeatsAnswers ? [whole, whole] : [whole];
    return {
      echo,
      pieces: times.flatMap((each) => (behaviour.splitsAnswers ? byteByByte(each) : [each])),
      afterMs: behaviour.answerDelayMs,
      gapMs: behaviour.splitsAnswers ? SPLIT_GAP_MS : 0,
      resets: behaviour.resetsMidFrame,
    };
  }

  #bytes(request: ModbusFrame, answer: ModbusFrame, framing: Framing): Buffer {
    const { talksNonsense, exceptionCode, answersAsAnother } = this.#behaviour;
    if (talksNonsense) return this.#nonsense.instead(answer, framing);
    return framing.encode({
      ...answer,
      ...(exceptionCode === undefined ? {} : { pdu: exceptionPdu(request.pdu.readUInt8(0), exceptionCode) }),
      ...(answersAsAnother ? { unit: (answer.unit + 1) % 248 } : {}),
    });
  }
}

function byteByByte(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.from([byte]));
}
