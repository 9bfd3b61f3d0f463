/** For bindings to UI libraries: who uses a connection or a room, so that it ends with the last of them. */
export { Users } from './platform/common/users.js';
