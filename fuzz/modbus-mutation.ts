import { type Answer, type Scene, said } from "./modbus-answers.ts";
import { ANSWERS_ON_RTU } from "./modbus-answers-rtu.ts";
import { ANSWERS_ON_TCP } from "./modbus-answers-tcp.ts";

/** An answer with the name of what is wrong with it. */
export interface Reply extends Answer {
  readonly name: string;
}

/** One wrong answer, or now and then a right one. The same chance makes the same. */
export function mutatedReply(scene: Scene): Reply {
  const [name, answer] = scene.chance.pick(scene.framing.name === "tcp" ? ANSWERS_ON_TCP : ANSWERS_ON_RTU);
  return { name, ...answer(scene) };
}

/** What is sent to any other request. */
export function rightReply({ answer, framing }: Pick<Scene, "answer" | "framing">): Reply {
  return { name: "right", ...said([framing.encode(answer)]) };
}
