/** Modbus exception codes that this device answers with (Modbus application protocol 1.1b3, clause 7). */
export const EXCEPTION = {
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  deviceFailure: 4,
  targetSilent: 11,
} as const;

export type ExceptionCode = (typeof EXCEPTION)[keyof typeof EXCEPTION];

/** The registers behind a request. Addresses are the ones on the wire, from 0. */
export interface RegisterBank {
  read(address: number, count: number): readonly number[] | ExceptionCode;
  /** Takes all registers or none. */
  write(address: number, values: readonly number[], functionCode: number): ExceptionCode | undefined;
}

const READ_HOLDING = 3;
const READ_INPUT = 4;
const WRITE_SINGLE = 6;
const WRITE_MULTIPLE = 16;

const MOST_READ = 125;
const MOST_WRITTEN = 123;

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

export function exceptionPdu(functionCode: number, code: ExceptionCode): Buffer {
  return Buffer.from([functionCode | 0x80, code]);
}

function answerFunction(functionCode: number, pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  switch (functionCode) {
    case READ_HOLDING:
    case READ_INPUT:
      return read(pdu, bank);
    case WRITE_SINGLE:
      return writeSingle(pdu, bank);
    case WRITE_MULTIPLE:
      return writeMultiple(pdu, bank);
    default:
      return EXCEPTION.illegalFunction;
  }
}

function read(pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length !== 5) return EXCEPTION.illegalValue;
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > MOST_READ) return EXCEPTION.illegalValue;
  const registers = bank.read(pdu.readUInt16BE(1), count);
  if (typeof registers === "number") return registers;
  const answer = Buffer.alloc(2 + 2 * count);
  answer.writeUInt8(pdu.readUInt8(0), 0);
  answer.writeUInt8(2 * count, 1);
  for (const [index, register] of registers.entries()) answer.writeUInt16BE(register, 2 + 2 * index);
  return answer;
}

function writeSingle(pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length !== 5) return EXCEPTION.illegalValue;
  return bank.write(pdu.readUInt16BE(1), [pdu.readUInt16BE(3)], WRITE_SINGLE) ?? Buffer.from(pdu);
}

function writeMultiple(pdu: Buffer, bank: RegisterBank): Buffer | ExceptionCode {
  if (pdu.length < 6) return EXCEPTION.illegalValue;
  const count = pdu.readUInt16BE(3);
  const bytes = pdu.readUInt8(5);
  if (count < 1 || count > MOST_WRITTEN) return EXCEPTION.illegalValue;
  if (bytes !== 2 * count || pdu.length !== 6 + bytes) return EXCEPTION.illegalValue;
  const values = Array.from({ length: count }, (_, index) => pdu.readUInt16BE(6 + 2 * index));
  return bank.write(pdu.readUInt16BE(1), values, WRITE_MULTIPLE) ?? Buffer.from(pdu.subarray(0, 5));
}
