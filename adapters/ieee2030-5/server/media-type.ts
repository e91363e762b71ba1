/** What is sent and asked for. EXI, the binary form, is never used by CSIP clients and not supported. */
export const SEP_XML = "application/sep+xml";

/** Names under which XML of 2030.5 comes. Parameters such as `level=-S1` are ignored. */
const XML_TYPES: readonly string[] = [SEP_XML, "application/xml", "text/xml"];
const WILDCARDS: readonly string[] = ["*/*", "application/*"];

/** True for a body that can be read; a body without a type is taken for XML. */
export function isXml(contentType: string | undefined): boolean {
  return contentType === undefined || XML_TYPES.includes(withoutParameters(contentType));
}

/** True if a client that sends this Accept header takes XML. */
export function acceptsXml(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return accept
    .split(",")
    .filter((range) => !/;\s*q=0(\.0*)?\s*(;|$)/i.test(range))
    .map(withoutParameters)
    .some((range) => XML_TYPES.includes(range) || WILDCARDS.includes(range));
}

function withoutParameters(type: string): string {
  return (type.split(";", 1)[0] ?? "").trim().toLowerCase();
}
