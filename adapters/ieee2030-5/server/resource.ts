import type { XmlElement } from "../xml/xml-element.ts";
import type { OutElement } from "../xml/xml-write.ts";
import { type Answer, failure, found } from "./answer.ts";
import { type ListQuery, listDocument, pageOf, readListQuery } from "./list-page.ts";

/** What may be done with one resource. HEAD goes with GET. */
export interface Resource {
  readonly get?: (query: ListQuery) => Answer;
  readonly put?: (document: XmlElement, peerAddress: string) => Answer;
  readonly post?: (document: XmlElement, peerAddress: string) => Answer;
  readonly remove?: () => Answer;
}

type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** A request of a device that is known, its body parsed. */
export interface DeviceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly peerAddress: string;
}

/** Methods of a resource, for the Allow header. */
function allowed(resource: Resource): readonly Method[] {
  return [
    ...(resource.get === undefined ? [] : (["GET", "HEAD"] as const)),
    ...(resource.put === undefined ? [] : (["PUT"] as const)),
    ...(resource.post === undefined ? [] : (["POST"] as const)),
    ...(resource.remove === undefined ? [] : (["DELETE"] as const)),
  ];
}

/** Runs a method of a resource. @throws BadDocument from PUT and POST */
export function useResource(resource: Resource, request: DeviceRequest, body: XmlElement | undefined): Answer {
  const { method, peerAddress } = request;
  switch (method) {
    case "GET":
    case "HEAD": {
      const query = readListQuery(request.query);
      if (query === undefined) return failure(400, "s, l and a must be whole numbers");
      return resource.get?.(query) ?? notAllowed(resource);
    }
    case "PUT":
      return body === undefined ? notAllowed(resource) : (resource.put?.(body, peerAddress) ?? notAllowed(resource));
    case "POST":
      return body === undefined ? notAllowed(resource) : (resource.post?.(body, peerAddress) ?? notAllowed(resource));
    case "DELETE":
      return resource.remove?.() ?? notAllowed(resource);
    default:
      return notAllowed(resource);
  }
}

function notAllowed(resource: Resource): Answer {
  return { status: 405, allow: allowed(resource).join(", "), reason: "method not allowed" };
}

/** A resource that is one document, made when it is asked for. */
export function single(document: () => OutElement): Resource {
  return { get: () => found(document()) };
}

/** A list that is only read. */
export function list(
  name: string,
  attributes: OutElement["attributes"],
  items: (query: ListQuery) => readonly OutElement[],
): Resource {
  return {
    get: (query) => {
      const { all, page } = pageOf(items(query), query);
      return found(listDocument(name, attributes, all, page));
    },
  };
}
