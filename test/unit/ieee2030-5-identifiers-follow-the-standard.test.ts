import { expect, test } from "vitest";
import {
  canonicalLfdi,
  canonicalMRID,
  lfdiFromCertificate,
  newMRID,
  sfdiFromLfdi,
  stableMRID,
} from "../../adapters/ieee2030-5/identity.ts";

test("the standard's own LFDI has the standard's own SFDI", () => {
  expect(sfdiFromLfdi("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")).toBe(167_261_211_391);
  expect(sfdiFromLfdi("3e4f45ab31edfe5b67e343e5e4562e31984e23e5")).toBe(167_261_211_391);
});

test("an LFDI is the first 20 bytes of the SHA-256 of the certificate", () => {
  // SHA-256 of "abc" is the best known vector of FIPS 180-4.
  expect(lfdiFromCertificate(Buffer.from("abc"))).toBe("BA7816BF8F01CFEA414140DE5DAE2223B00361A3");
});

test("an mRID that lost its leading zeros or its case is still the same", () => {
  expect(canonicalMRID("0100009f1c")).toBe(canonicalMRID("00000000000000000000000100009F1C"));
  expect(canonicalLfdi("abc")).toBe(`${"0".repeat(37)}ABC`);
});

test("a new mRID is 128 bits and never the one before; a stable one survives a restart", () => {
  const made = new Set(Array.from({ length: 100 }, newMRID));
  expect(made.size).toBe(100);
  for (const mRID of made) expect(mRID).toMatch(/^[0-9A-F]{24}00000000$/);
  const lfdi = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5";
  expect(stableMRID(lfdi, "DERProgram")).toBe(stableMRID(lfdi.toLowerCase(), "DERProgram"));
  expect(stableMRID(lfdi, "DERProgram")).not.toBe(stableMRID(lfdi, "DefaultDERControl"));
});
