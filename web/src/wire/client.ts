/**
 * REST, typed: a bearer token on every call, every failure an `ApiError`, one refresh where the token ran out.
 *
 * Retries nothing else by itself: whoever calls knows whether a repeat is harmless.
 */

import { CODES, type Code, type ErrorBody } from "./generated";

/** What the page may meet besides the table of codes: nothing answered at all. */
export type FailureCode = Code | "network";

export class ApiError extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly status: number,
    readonly correlationId: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface Credentials {
  /** The bearer token, or null for a caller who has none yet. */
  token(): string | null;
  /** Gets a new token; false where there is no way to. */
  refresh(): Promise<boolean>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: object;
  query?: Record<string, string | number | boolean | null | undefined>;
  /** The version that was read: sent as If-Match. */
  version?: number;
  /** Carries no token and is not refreshed. */
  open?: boolean;
}

export class Client {
  constructor(
    private readonly fetch: Fetch,
    private readonly base: string,
    private readonly credentials: Credentials,
  ) {}

  async call<T>(request: Request): Promise<T> {
    try {
      return await this.once<T>(request);
    } catch (thrown) {
      const expired = thrown instanceof ApiError && thrown.status === 401 && !request.open;
      if (!expired || !(await this.credentials.refresh())) throw thrown;
      return await this.once<T>(request);
    }
  }

  private async once<T>(request: Request): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    const token = request.open ? null : this.credentials.token();
    if (token) headers.Authorization = `Bearer ${token}`;
    if (request.body) headers["Content-Type"] = "application/json";
    if (request.version !== undefined) headers["If-Match"] = `"${request.version}"`;
    const init: RequestInit = { method: request.method, headers, cache: "no-store" };
    if (request.body) init.body = JSON.stringify(request.body);
    let response: Response;
    try {
      response = await this.fetch(this.base + request.path + search(request.query), init);
    } catch {
      throw new ApiError("network", "The server cannot be reached.", 0, "", 0);
    }
    if (!response.ok) throw await errorOf(response);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }
}

function search(query: Request["query"]): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);
  if (pairs.length === 0) return "";
  return `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&")}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as ErrorBody;
    if (Object.hasOwn(CODES, body.code)) {
      return new ApiError(
        body.code,
        body.message,
        response.status,
        body.correlation_id,
        body.retry_after_ms ?? 0,
      );
    }
  } catch {
    // Not one of ours: something between here and the functions answered.
  }
  const code: FailureCode = response.status >= 500 ? "upstream.unavailable" : "internal";
  return new ApiError(code, `${CODES[code].message} (HTTP ${response.status})`, response.status, "", 0);
}
