/** How a Modbus device misbehaves; may be changed while it runs. */
export interface ModbusBehaviour {
  /** Requests get no answer. */
  silent: boolean;
  /** Every request gets this exception, 1 to 255. */
  exceptionCode: number | undefined;
  /** Answers come so much later, in their order. */
  answerDelayMs: number;
  /** Half of the answer, then a reset; on a serial line the other half never comes. */
  resetsMidFrame: boolean;
  /** Answers in the name of the next unit. */
  answersAsAnother: boolean;
  /** Every answer is broken: a wrong transaction, a wrong length or checksum, or bytes that are no Modbus, in turn. */
  talksNonsense: boolean;
  /** Answers come a byte at a time. */
  splitsAnswers: boolean;
  /** Every answer comes twice. */
  repeatsAnswers: boolean;
  /** What is sent comes back before the answer, as through an RS-485 adapter that hears itself. */
  echoesRequests: boolean;
  /** After so many answers a connection is dead and does not say so: nothing is read, and its end is not noticed. */
  diesAfterAnswers: number | undefined;
  /** Share of the answers that the faults above hit, 0 to 1. */
  faultShare: number;
  /** Further connections are reset. */
  maxConnections: number;

  /** Control writes get exception 3. */
  refuses: boolean;
  /** Control writes are answered and read back, and the hardware does not follow. */
  ignoresWrites: boolean;
  /** Function 16 gets exception 1, as on devices that only take single registers. */
  rejectsWriteMultiple: boolean;
  /** Function 6 gets exception 1. */
  rejectsWriteSingle: boolean;
  /** What is measured stays as it was; controls still read back. */
  isStale: boolean;
  /** Without sun all that is measured reads as not implemented. */
  sleepsAtNight: boolean;
  /** It restarts so often. */
  restartsEveryMs: number | undefined;
  /** After a restart its registers lie elsewhere, as after an update. */
  movesMap: boolean;
}

export const GOOD_MODBUS_BEHAVIOUR: Readonly<ModbusBehaviour> = {
  silent: false,
  exceptionCode: undefined,
  answerDelayMs: 0,
  resetsMidFrame: false,
  answersAsAnother: false,
  talksNonsense: false,
  splitsAnswers: false,
  repeatsAnswers: false,
  echoesRequests: false,
  diesAfterAnswers: undefined,
  faultShare: 1,
  maxConnections: 4,
  refuses: false,
  ignoresWrites: false,
  rejectsWriteMultiple: false,
  rejectsWriteSingle: false,
  isStale: false,
  sleepsAtNight: false,
  restartsEveryMs: undefined,
  movesMap: false,
};
