/** The types of chat-client.js. */

export const SUBPROTOCOL: 'switchboard.chat.v1';
/** The name that nobody but the server may bear. */
export const SERVER: '__server';
/** In characters (code points), as countCharacters() counts them. */
export const LONGEST_NAME: number;
export const LONGEST_MESSAGE: number;

export const State: {
  readonly CONNECTING: 'connecting';
  readonly OPEN: 'open';
  /** Lost, and going to try again at `retryAt`. */
  readonly WAITING: 'waiting';
  /** The server does not want us; it is not tried again until open() is called. */
  readonly REFUSED: 'refused';
  readonly CLOSED: 'closed';
};
export type State = (typeof State)[keyof typeof State];

export const Fate: {
  /** For a connection, or for the server to have time. */
  readonly WAITING: 'waiting';
  readonly SENT: 'sent';
  /** Sent so long ago that the server would no longer know it for the same: only its author can tell whether to retry(). */
  readonly DOUBTFUL: 'doubtful';
  /** The server would not take it, as `error` says. */
  readonly FAILED: 'failed';
};
export type Fate = (typeof Fate)[keyof typeof Fate];

/** A message of one's own that is not acknowledged yet. */
export interface Pending {
  id: string;
  message: string;
  fate: Fate;
  /** Milliseconds since 1970; null when it has not been sent yet. */
  firstSentAt: number | null;
  error: string | null;
}

export interface ChatOptions {
  /** Who one is; on a server that asks for tokens, the token says it. */
  username?: string;
  room?: string;
  /** So many of the newest messages come first. */
  history?: number;
  /** A JSON Web Token, or what fetches one, to be exchanged for tickets; without it the page's cookies have to do. */
  token?: string | (() => string | Promise<string>) | null;
  /** Ask for a ticket from the start; by default only with a token, or when the server turns us away. */
  tickets?: boolean;
  /** What a former client of the same person had not got acknowledged. */
  pending?: Pick<Pending, 'id' | 'message' | 'firstSentAt'>[];
  /** Where the server lives; by default the origin of the page. Where there is no page, as in Node, it must be given. */
  base?: string | URL;
  /** What to reach it with, where there is none by default, as in Node 20: `ws`, say, or undici's. */
  WebSocket?: WebSocketConstructor;
  fetch?: Fetch;
  /** Both, as members of an object. */
  network?: { WebSocket: WebSocketConstructor; fetch: Fetch };
}

/** What is needed of a WebSocket: the browser's, Node's, undici's and that of the package ws have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
  addEventListener(type: 'message', listener: (event: { data: any }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'error', listener: (event: any) => void): void;
}
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
/** What is needed of fetch. */
export type Fetch = (url: string, options: any) => Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<any> }>;

export type Right = 'read' | 'write' | 'moderate';
export interface Message { type: 'message'; sender: string; message: string; seq: number; time: string }
/** What is left in the history of a message that has been taken back. */
export interface Deleted { type: 'deleted'; seq: number; time: string }
/** The message `deleted` has been taken back. */
export interface Deletion { type: 'delete'; deleted: number; by: string; message: string; seq: number; time: string }
/** Someone was muted, kicked, banned, or is no more; `message` says it in words. Without `user` it is about an address. */
export interface Moderation {
  type: 'moderation';
  action: 'mute' | 'unmute' | 'kick' | 'ban' | 'unban';
  user?: string;
  seconds?: number;
  by: string;
  message: string;
  seq: number;
  time: string;
}
export interface Page { room: string; epoch: string; seq: number; messages: (Message | Deleted | Deletion | Moderation)[] }

export interface ChatEvents {
  /** The connection has changed. `code` and `reason` are those of the close frame, or the status of a refused request. */
  state: { state: State; retryAt?: number; code?: number; reason?: string;
    /** While waiting: how many tries in a row did not get in. */
    attempts?: number };
  /** The server has let us in; again after each reconnection. */
  welcome: { room: string; epoch: string; seq: number; members: string[]; people?: number; rights?: Right[];
    /** For how long still one may only listen. */
    muted_seconds?: number };
  /** What came so far is no longer good: the newest page follows, beginning after `seq`. */
  reset: { epoch: string; seq: number };
  /** Someone said something; one's own words come back this way too. In order, and once each. */
  message: Message;
  deleted: Deleted;
  delete: Deletion;
  moderation: Moderation;
  /** What was sent under `id` is kept, as `seq`. The message itself may have come already, or comes yet. */
  ack: { id: string; seq: number };
  /** `client.pending` has changed. */
  pending: null;
  presence: { joined: string[]; left: string[]; people?: number };
  /** Someone else is typing. */
  typing: { user: string };
  /**
   * The server could not take something; with `id`, the message that failed for good. With the code `unreachable`: so
   * many tries in a row did not get in; `message` has the likely reason, and it goes on trying.
   */
  error: { code: string; message: string; id?: string; attempts?: number };
}

/** As the page or Node itself has them. */
type ListenerArguments = Parameters<EventTarget['addEventListener']>;

export class ChatClient extends EventTarget {
  constructor(options: ChatOptions);
  readonly state: State;
  readonly username: string;
  readonly room: string;
  readonly epoch: string | null;
  readonly seq: number | null;
  /** What one may do in the room; null before the server has first let us in. */
  readonly rights: Right[] | null;
  /** When the server last sent anything, in milliseconds since 1970. */
  readonly heardAt: number;
  readonly pending: Pending[];
  open(): void;
  close(): void;
  send(message: string): string;
  retry(id: string): void;
  discard(id: string): void;
  moderate(action: 'delete', facts: { seq: number }): Promise<number>;
  moderate(action: 'mute' | 'ban', facts: { user: string; seconds: number }): Promise<number>;
  moderate(action: 'kick' | 'unmute' | 'unban', facts: { user: string }): Promise<number>;
  typing(): void;
  retryNow(): void;
  reconnect(): void;
  historyBefore(before: number, limit?: number): Promise<Page>;
  newest(limit?: number): Promise<Page>;
  addEventListener<K extends keyof ChatEvents>(type: K, listener: (event: CustomEvent<ChatEvents[K]>) => void, options?: ListenerArguments[2]): void;
  addEventListener(...all: ListenerArguments): void;
  removeEventListener<K extends keyof ChatEvents>(type: K, listener: (event: CustomEvent<ChatEvents[K]>) => void, options?: ListenerArguments[2]): void;
  removeEventListener(...all: ListenerArguments): void;
}

export function chatUrl(base: string | URL, query: Record<string, string>): string;
export function countCharacters(text: string): number;
/** Why the server would refuse this name, or null. */
export function nameProblem(name: string): string | null;
/** In milliseconds. */
export function retryDelay(attempt: number, random?: () => number): number;
