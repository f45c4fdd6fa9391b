// For the importers that are being worked on; goes with the last of them.
export { isToken, ownerLives, ownerToken } from '../package/owner.ts';
