import { test } from "vitest";
import { expectUseCaseHolds } from "../support/use-case.ts";

test.each(["ev-charging", "p2p", "p2p-market", "settlement"])(
  "%s: all that it checks holds",
  (name) => expectUseCaseHolds(name),
  120_000,
);
