import { checkShape } from "../der/schema.ts";
import { parseXml, type XmlElement, XmlFault } from "../der/xml-in.ts";

/** A request that came over TLS with a certificate that the utility's authority signed. */
export interface UtilityRequest {
  /** HEAD is answered as GET. */
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** LFDI of the client's certificate. */
  readonly client: string;
}

/**
 * The document in a body, by one of its names.
 * @throws XmlFault that says what the schema does not allow
 */
export function documentIn(request: UtilityRequest, ...names: readonly string[]): XmlElement {
  const root = parseXml(request.body);
  if (!names.includes(root.name)) throw new XmlFault(`root element is ${root.name}, not ${names.join(" or ")}`);
  checkShape(root);
  return root;
}
