/** The room's own panel, with its pages. */

import { ActivityPanel } from "../ui/activity";
import { InvitePanel } from "../ui/invites";
import type { NetworkPanel } from "../ui/network";
import { Panel } from "../ui/panel";
import type { PeoplePanel } from "../ui/people";
import { RoomPanel } from "../ui/roomsettings";
import type { RoomContext } from "./context";

/** People, invites, activity, settings and connections, as one panel. */
export function roomPanel(room: RoomContext, people: PeoplePanel, network: NetworkPanel): Panel {
  const page = (panel: { element: HTMLElement; refresh(): Promise<void> }) => ({
    element: panel.element,
    refresh: () => panel.refresh(),
  });
  return new Panel([
    { name: "people", title: "People", icon: "people", ...page(people), live: () => people.render() },
    { name: "invite", title: "Invite", icon: "link", ...page(new InvitePanel(room)) },
    { name: "activity", title: "Activity", icon: "activity", ...page(new ActivityPanel(room)) },
    { name: "room", title: "Room", icon: "room", ...page(new RoomPanel(room)) },
    { name: "network", title: "Network", icon: "signal", ...page(network), live: (now) => network.tick(now) },
  ]);
}
