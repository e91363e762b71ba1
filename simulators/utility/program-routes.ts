import type { XmlNode } from "../der/xml-out.ts";
import { type Answer, refusal } from "./answer.ts";
import type { EndDevice } from "./device-book.ts";
import { assignmentDocument, controlDocument, defaultDocument, programDocument } from "./documents.ts";
import { eventStatus, STATUS } from "./event-status.ts";
import { listPage } from "./list-page.ts";
import { type Control, isOver, type Program } from "./program-book.ts";
import type { UtilityRequest } from "./request.ts";
import type { Utility } from "./utility.ts";

export function assignmentList(utility: Utility, device: EndDevice, request: UtilityRequest): Answer {
  const items = utility.book
    .assignments()
    .map((fsaId) => assignmentDocument(device, fsaId, utility.book.programsOf(fsaId).length));
  const attributes = { subscribable: 1, pollRate: utility.rates.fsaListS };
  const href = `/edev/${device.id}/fsa`;
  return { status: 200, document: listPage("FunctionSetAssignmentsList", href, items, request.query, attributes) };
}

export function programList(utility: Utility, device: EndDevice, fsaId: number, request: UtilityRequest): Answer {
  if (!utility.book.assignments().includes(fsaId)) return refusal(404, "there is no such assignment");
  // Lists of programs are ordered by primacy (2030.5-2018, 10.10.4.3).
  const items = utility.book
    .programsOf(fsaId)
    .toSorted((one, other) => one.primacy - other.primacy || one.id - other.id)
    .map((program) => programNode(utility, device, program));
  const attributes = { subscribable: 1, pollRate: utility.rates.derpListS };
  const href = `/edev/${device.id}/fsa/${fsaId}/derp`;
  return { status: 200, document: listPage("DERProgramList", href, items, request.query, attributes) };
}

/** What is below one program: itself, its controls, its default. */
export function programResource(
  utility: Utility,
  device: EndDevice,
  program: Program,
  rest: string,
  request: UtilityRequest,
): Answer {
  const own = `/edev/${device.id}/derp/${program.id}`;
  const nowS = utility.nowS();
  const [kind, id] = rest.split("/");
  const nodeOf = (control: Control): XmlNode => controlDocument(device, program, control, nowS);
  if (kind === "") return { status: 200, document: programNode(utility, device, program) };
  if (kind === "dderc") {
    if (program.default === undefined) return refusal(404, "the program has no default");
    return { status: 200, document: defaultDocument(device, program) };
  }
  const listed = listedControls(program, nowS);
  if (kind === "derc" && id === undefined) {
    const document = listPage("DERControlList", `${own}/derc`, listed.map(nodeOf), request.query, { subscribable: 1 });
    return { status: 200, document };
  }
  if (kind === "derc") {
    const control = listed.find((one) => one.id === Number(id));
    return control === undefined
      ? refusal(404, "there is no such control")
      : { status: 200, document: nodeOf(control) };
  }
  if (kind === "actderc") {
    const active = listed.filter((control) => eventStatus(control, nowS).status === STATUS.active);
    return { status: 200, document: listPage("DERControlList", `${own}/actderc`, active.map(nodeOf), request.query) };
  }
  return refusal(404, "there is no such resource");
}

/** Whatever has not ended by its own interval, also if it was cancelled or superseded; the earliest start first. */
function listedControls(program: Program, nowS: number): Control[] {
  return program.controls
    .filter((control) => !isOver(control, nowS))
    .sort((one, other) => one.startS - other.startS || other.creationTimeS - one.creationTimeS);
}

function programNode(utility: Utility, device: EndDevice, program: Program): XmlNode {
  return programDocument(device, program, listedControls(program, utility.nowS()).length);
}
