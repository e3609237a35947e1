// Whatever was thrown, as something that can be shown: also what is a fault of this page itself.
import { ParleyError } from '../../sdk/index';

export function problemOf(caught: unknown): ParleyError {
  if (caught instanceof ParleyError) return caught;
  const words = caught instanceof Error ? caught.message : String(caught);
  return new ParleyError({ code: 'unexpected', detail: `Something went wrong here: ${words}` });
}
