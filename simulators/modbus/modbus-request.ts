/** Modbus exception codes that a device answers with (Modbus application protocol 1.1b3, clause 7). */
export const EXCEPTION = {
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  deviceFailure: 4,
  targetSilent: 11,
} as const;

export type ExceptionCode = (typeof EXCEPTION)[keyof typeof EXCEPTION];

/** The four address spaces; in `coil` and `discrete` a register is one bit. */
export type Space = "holding" | "input" | "coil" | "discrete";

/** The registers behind a request. Addresses are the ones on the wire, from 0; a bit reads and is written as 0 or 1. */
export interface RegisterBank {
  read(space: Space, address: number, count: number): readonly number[] | ExceptionCode;
  /** Takes all registers or none. */
  write(
    space: "holding" | "coil",
    address: number,
    values: readonly number[],
    functionCode: number,
  ): ExceptionCode | undefined;
}

const READS: Readonly<Record<number, Space>> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };
const WRITE_COIL = 5;
export const WRITE_SINGLE = 6;
const WRITE_COILS = 15;
export const WRITE_MULTIPLE = 16;

const MOST_READ = 125;
const MOST_WRITTEN = 123;
const MOST_BITS_READ = 2000;
const MOST_BITS_WRITTEN = 1968;
const COIL_ON = 0xff00;
const COIL_OFF = 0;

/** The answer's PDU to a request's PDU. Never throws: what fails inside is the device's failure. */
export function answerRequest(pdu: Buffer, bank: RegisterBank): Buffer {
  const functionCode = pdu.readUInt8(0);
  try {
    const answer = answerFunction(functionCode, pdu, bank);
    return typeof answer === "number" ? exceptionPdu(functionCode, answer) : answer;
  } catch {
    return exceptionPdu(functionCode, EXCEPTION.deviceFailure);
  }
}

/** @param code 1 to 255 */
export function exceptionPdu(functionCode: number, code: number): Buffer {
  return Buffer.from([functionCode | 0x80, code]);
}

function answerFunction(functionCode: number, pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  const space = READS[functionCode];
  if (space !== undefined) return read(space, pdu, bank);
  switch (functionCode) {
    case WRITE_COIL:
    case WRITE_SINGLE:
      return writeSingle(functionCode, pdu, bank);
    case WRITE_COILS:
    case WRITE_MULTIPLE:
      return writeMultiple(functionCode, pdu, bank);
    default:
      return EXCEPTION.illegalFunction;
  }
}

function read(space: Space, pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length !== 5) return EXCEPTION.illegalValue;
  const count = pdu.readUInt16BE(3);
  const isBits = space === "coil" || space === "discrete";
  if (count < 1 || count > (isBits ? MOST_BITS_READ : MOST_READ)) return EXCEPTION.illegalValue;
  const values = bank.read(space, pdu.readUInt16BE(1), count);
  if (typeof values === "number") return values;
  const bytes = isBits ? packed(values) : Buffer.alloc(2 * count);
  if (!isBits) for (const [index, register] of values.entries()) bytes.writeUInt16BE(register, 2 * index);
  return Buffer.concat([Buffer.from([pdu.readUInt8(0), bytes.length]), bytes]);
}

function writeSingle(functionCode: number, pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length !== 5) return EXCEPTION.illegalValue;
  const address = pdu.readUInt16BE(1);
  const value = pdu.readUInt16BE(3);
  if (functionCode === WRITE_SINGLE) return bank.write("holding", address, [value], functionCode) ?? Buffer.from(pdu);
  if (value !== COIL_ON && value !== COIL_OFF) return EXCEPTION.illegalValue;
  return bank.write("coil", address, [value === COIL_ON ? 1 : 0], functionCode) ?? Buffer.from(pdu);
}

function writeMultiple(functionCode: number, pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length < 6) return EXCEPTION.illegalValue;
  const isBits = functionCode === WRITE_COILS;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  const bytes = pdu.readUInt8(5);
  if (count < 1 || count > (isBits ? MOST_BITS_WRITTEN : MOST_WRITTEN)) return EXCEPTION.illegalValue;
  if (bytes !== (isBits ? Math.ceil(count / 8) : 2 * count) || pdu.length !== 6 + bytes) return EXCEPTION.illegalValue;
  const data = pdu.subarray(6);
  const values = Array.from({ length: count }, (_, index) =>
    isBits ? (data.readUInt8(index >> 3) >> (index & 7)) & 1 : data.readUInt16BE(2 * index),
  );
  return bank.write(isBits ? "coil" : "holding", address, values, functionCode) ?? Buffer.from(pdu.subarray(0, 5));
}

/** Bits eight to a byte, the first one lowest. */
function packed(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [index, bit] of bits.entries()) {
    if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return bytes;
}
