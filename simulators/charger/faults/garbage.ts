/** Frames that mean nothing, each in its own way. None is larger than 8 kB. */
const GARBAGE: readonly string[] = [
  "{",
  "[]",
  "[2]",
  "null",
  '"text"',
  '[2,42,"Heartbeat",{}]',
  '[2,"g1","Nonsense",{}]',
  '[2,"g2","Heartbeat",[]]',
  '[2,"g3","MeterValues",{"connectorId":"one"}]',
  '[3,"nobody-asked",{}]',
  '[4,"nobody-asked","GenericError","",{}]',
  '[9,"g4","Heartbeat",{}]',
  `[2,"g5","DataTransfer",{"vendorId":"${"x".repeat(8_000)}"}]`,
  `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
  "\u0000\u0001\u0002",
];

export function garbage(count: number): string {
  return GARBAGE[count % GARBAGE.length] ?? "{";
}
