import { openWorkshop, requireProgram, type Workshop, type Workshops } from '../layer/workshop.ts';
import { ensurePrivate } from '../run/private.ts';
import type { Context } from './context.ts';
import { compressProgramOf, withStore } from './image/store.ts';

/** Makes layers in the user's own store, and remembers in their cache what is known of them. */
export const workshopsOf = (context: Context): Workshops => ({
  require: () => requireProgram(compressProgramOf(context)),
  use: <T>(act: (workshop: Workshop) => Promise<T>) => {
    const { layers } = context.places.cache;
    ensurePrivate(layers);
    return withStore(context, async (store) => {
      const workshop = openWorkshop({
        store,
        others: [],
        cache: layers,
        keep: true,
        compressProgram: compressProgramOf(context),
      });
      try {
        return await act(workshop);
      } finally {
        await workshop.close();
      }
    });
  },
});
