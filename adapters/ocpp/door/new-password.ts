import { randomInt } from "node:crypto";

/** Letters that nobody takes for one another. */
const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** 100 bits, and a length that 1.6 (16 to 20 bytes) and 2.0.1 (16 to 40 letters) both take. */
const LENGTH = 20;

/** A password for a charger, to be typed in by a person once. */
export function newPassword(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
