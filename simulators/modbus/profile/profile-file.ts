import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type ProfileShape, profileShape } from "./profile-shape.ts";

/** A profile that can't be read; the message names the file and what is wrong. */
export class ProfileFileError extends Error {
  override readonly name = "ProfileFileError";
}

/** @param given a file, or the name of one of the profiles that come along. @throws ProfileFileError */
export function loadProfile(given: string): ProfileShape {
  const file = fileOf(given);
  let raw: unknown;
  try {
    raw = parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new ProfileFileError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const parsed = profileShape.safeParse(raw);
  if (!parsed.success) throw new ProfileFileError(`${file}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function fileOf(given: string): string {
  if (/[/\\.]/.test(given)) return given;
  const file = join(profileFolder(), `${given}.yaml`);
  if (existsSync(file)) return file;
  throw new ProfileFileError(`there is no profile "${given}" (${file}); name one of that folder, or a file`);
}

/** The program runs from its source and from a build, which lies one folder deeper. */
function profileFolder(): string {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    const profiles = join(folder, "config", "profiles");
    if (existsSync(profiles)) return profiles;
  }
  throw new ProfileFileError("the folder config/profiles is not there");
}
