/** What is asked of the room about people and channels; who may, the server says. */

import type {
  ChannelId,
  UserId,
  VoiceChannel,
  VoiceChannelSettings,
  VoicePersonChange,
} from "../wire/generated";
import type { VoiceRoutes } from "./ports";

export class Moderating {
  constructor(protected readonly routes: VoiceRoutes) {}

  muteOther(userId: UserId, muted: boolean): Promise<void> {
    return this.change(userId, { muted });
  }

  requestUnmute(userId: UserId): Promise<void> {
    return this.change(userId, { unmute_requested: true });
  }

  move(userId: UserId, channelId: ChannelId): Promise<void> {
    return this.change(userId, { channel_id: channelId });
  }

  setPriority(userId: UserId, priority: boolean): Promise<void> {
    return this.change(userId, { priority });
  }

  remove(userId: UserId, removed: boolean): Promise<void> {
    return this.change(userId, { removed });
  }

  lowerHand(userId: UserId): Promise<void> {
    return this.change(userId, { hand_raised: false });
  }

  createChannel(settings: VoiceChannelSettings): Promise<VoiceChannel> {
    return this.routes.createChannel(settings);
  }

  changeChannel(channelId: ChannelId, settings: VoiceChannelSettings): Promise<VoiceChannel> {
    return this.routes.changeChannel(channelId, settings);
  }

  deleteChannel(channelId: ChannelId): Promise<void> {
    return this.routes.deleteChannel(channelId);
  }

  protected async change(userId: UserId, change: VoicePersonChange): Promise<void> {
    await this.routes.change(userId, change);
  }
}
