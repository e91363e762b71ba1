/** Letters of a National Metering Identifier, and one more for its check digit. */
const NMI_LENGTH = 10;

/**
 * What is wrong with a National Metering Identifier, the name of a connection point in Australia: ten digits and capital
 * letters without I and O, and where it is given the check digit behind them (AEMO, National Metering Identifier procedure).
 * @returns nothing where it is one; which distributor has given it out is not looked at
 */
export function nmiFault(text: string): string | undefined {
  const written = `"${text.slice(0, 40)}"`;
  if (text.length !== NMI_LENGTH && text.length !== NMI_LENGTH + 1) {
    return `${written} has ${text.length} characters, expected an NMI of 10, or 11 with its check digit`;
  }
  const nmi = text.slice(0, NMI_LENGTH);
  if (!/^[0-9A-HJ-NP-Z]+$/.test(nmi))
    return `${written} is no NMI: expected digits and capital letters without I and O`;
  const digit = text.slice(NMI_LENGTH);
  if (digit !== "" && digit !== String(checkDigit(nmi))) {
    return `${written} is no NMI: its check digit is ${digit}, expected ${checkDigit(nmi)}`;
  }
  return undefined;
}

/** From the right, every other character's code is doubled; with it the sum of all codes' digits is a multiple of ten. */
function checkDigit(nmi: string): number {
  let sum = 0;
  for (const [place, character] of [...nmi].reverse().entries()) {
    const code = character.charCodeAt(0) * (place % 2 === 0 ? 2 : 1);
    for (const digit of String(code)) sum += Number(digit);
  }
  return (10 - (sum % 10)) % 10;
}
