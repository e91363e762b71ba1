import { test } from "vitest";
import { expectUseCaseHolds } from "../support/use-case.ts";

test.each(["ev-demand-flexibility", "demand-flexibility", "vpp", "grid-services"])(
  "%s: all that it checks holds",
  (name) => expectUseCaseHolds(name),
  120_000,
);
