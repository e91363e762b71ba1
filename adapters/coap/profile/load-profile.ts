import { existsSync } from "node:fs";
import { ConfigError, loadYaml, parseYaml } from "../../../src/config/load.ts";
import { profileFaults } from "./profile-faults.ts";
import { profileFileOf } from "./profile-files.ts";
import { type Profile, profileSchema } from "./profile-schema.ts";

const checkedSchema = () =>
  profileSchema().check((context) => {
    for (const { path, message } of profileFaults(context.value)) {
      context.issues.push({ code: "custom", input: context.value, path: [...path], message });
    }
  });

/** Reads and checks a profile. @throws ConfigError with each fault: file, line, key, what was expected */
export function loadProfile(file: string): Profile {
  return loadYaml(file, checkedSchema()).value;
}

/** @throws ConfigError */
export function parseProfile(text: string, file: string): Profile {
  return parseYaml(text, file, checkedSchema()).value;
}

/** A profile by its id, or by the path of a file. @throws ConfigError */
export function findProfile(idOrFile: string): Profile {
  const file = profileFileOf(idOrFile) ?? idOrFile;
  if (file === idOrFile && !existsSync(file)) {
    const fault = `there is no CoAP profile or file ${idOrFile}; \`setpointd coap profile list\` shows the profiles`;
    throw new ConfigError([{ file, path: "", fault }]);
  }
  return loadProfile(file);
}
